/**
 * Tells whom the SOCKS server turned away, and why. A peer causes a few tellings a minute at most; the next one says how
 * many were left out. Tested in tests/cli/commands/proxy_test.ts.
 */

import type { Runtime } from "../../runtime/mod.ts";
import { createRateLimiter } from "../../services/http/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";

/** For each key: some at once, for a page that loads from several places, then a few a minute. */
const LIMIT = { perSecond: 5 / 60, burst: 5 };

/** Keys whose left-out tellings are counted; beyond, the oldest is forgotten. */
const MOST_COUNTED = 1_000;

/** Why somebody was turned away: by its key, its passcode, where it wanted to go, or because there was no place. */
export type RefusalReason = "key" | "passcode" | "destination" | "full";

/** A client that was turned away. */
export interface SocksRefusal {
  /** The visor whose program asked. */
  readonly remote: PublicKey;
  /** What spoke against it. */
  readonly why: RefusalReason;
  /** `host:port`, of a destination that is not allowed. */
  readonly destination?: string;
  /** How many of this visor were left out since the last one that was told. */
  readonly leftOut?: number;
}

/** What telling needs. */
export interface RefusalsDeps {
  readonly runtime: Pick<Runtime, "clock" | "log">;
  /** Called with each that is told. */
  readonly onRefused?: ((refusal: SocksRefusal) => void) | undefined;
}

/** See the top of the file. */
export class Refusals {
  readonly #deps: RefusalsDeps;
  readonly #limiter;
  readonly #leftOut = new Map<PublicKey, number>();

  constructor(deps: RefusalsDeps) {
    this.#deps = deps;
    this.#limiter = createRateLimiter({ clock: deps.runtime.clock, limit: LIMIT });
  }

  /** Somebody was turned away. */
  note(refusal: Omit<SocksRefusal, "leftOut">): void {
    const { runtime: { log }, onRefused } = this.#deps;
    const { remote, why, destination } = refusal;
    const leftOut = this.#leftOut.get(remote) ?? 0;
    this.#leftOut.delete(remote);
    if (this.#limiter.take(`${remote}:`) > 0) {
      this.#leftOut.set(remote, leftOut + 1);
      const oldest = this.#leftOut.keys().next().value;
      if (this.#leftOut.size > MOST_COUNTED && oldest !== undefined) this.#leftOut.delete(oldest);
      return;
    }
    const more = leftOut === 0 ? {} : { leftOut };
    log.info("proxy-refused", { remote: shortKey(remote), why, destination, ...more });
    onRefused?.({ ...refusal, ...more });
  }
}
