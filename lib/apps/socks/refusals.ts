/**
 * Reports which clients the SOCKS server turned away, and why. One visor causes a few reports a minute at most; the next
 * report says how many were left out. Tested in tests/cli/commands/proxy_test.ts.
 */

import type { Runtime } from "../../runtime/mod.ts";
import { createRateLimiter } from "../../services/http/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";

/** Reports for each key: 5 at once, since a page loads from several places, then 5 a minute. */
const LIMIT = { perSecond: 5 / 60, burst: 5 };

/** Keys whose left-out reports are counted. Beyond this number, the oldest key is forgotten. */
const MOST_COUNTED = 1_000;

/**
 * Why a client was turned away: its key is not allowed (`key`), its passcode is wrong (`passcode`), its destination is not
 * allowed (`destination`), or there are too many clients (`full`).
 */
export type RefusalReason = "key" | "passcode" | "destination" | "full";

/** A client that the SOCKS server turned away. */
export interface SocksRefusal {
  /** The visor from which the client came. */
  readonly remote: PublicKey;
  /** Why it was turned away. */
  readonly why: RefusalReason;
  /** The destination that is not allowed, `host:port`; absent for other reasons. */
  readonly destination?: string;
  /** How many refusals of this visor went unreported since its last report; absent for none. */
  readonly leftOut?: number;
}

/** What {@link Refusals} needs. */
export interface RefusalsDeps {
  readonly runtime: Pick<Runtime, "clock" | "log">;
  /** Called with each report. */
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
