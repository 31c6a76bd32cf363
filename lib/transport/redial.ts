/**
 * Keeps a wanted transport up: dials, and dials again whenever the link is lost.
 * Tested in tests/transport/transport_table_test.ts.
 */

import { ClosedError, describeError, hasCode } from "../errors/mod.ts";
import { Backoff, sleep, untilAborted } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { SettledLink } from "./link_setup.ts";
import type { LinkSlot } from "./link_slot.ts";
import type { TransportMetrics } from "./metrics.ts";

/** The delays between dials of a lost link. */
const REDIAL_MS = { firstMs: 200, maxMs: 3_000 };

/** A link that lived this long was a good one: after it, redialling starts with the short delay again. */
const STABLE_MS = 5_000;

/** How one dial is done. */
export interface DialAttempt {
  /** Where the peer is; undefined: wherever the address book says. */
  readonly address: string | undefined;
  /** Gives up. */
  readonly signal: AbortSignal;
  /** To be called before the peer can take the link as opened and wait for settlement. */
  readonly onCommit: () => void;
}

/** A dial that is under way. */
export interface Dial {
  /** May the peer have taken the link as opened? */
  isCommitted: boolean;
  /** Gives up. */
  readonly abort: AbortController;
  /** Did a link of ours come of it? Never rejects. */
  readonly outcome: Promise<boolean>;
}

/** What redialling needs. */
export interface RedialDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  readonly metrics: Pick<TransportMetrics, "dialsFailed">;
  readonly slot: LinkSlot;
  /** Opens and settles a link. */
  readonly connect: (attempt: DialAttempt) => Promise<SettledLink>;
  /** What the log says of the transport. */
  readonly logged: Readonly<Record<string, string>>;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** See the top of the file. */
export class Redial {
  readonly #deps: RedialDeps;
  readonly #waiters = new Set<Waiter>();
  #wanted: { readonly address: string | undefined } | undefined;
  #unwanted: AbortController = new AbortController();
  #running: Promise<void> | undefined;
  #dial: Dial | undefined;

  constructor(deps: RedialDeps) {
    this.#deps = deps;
  }

  /** Does somebody here want the transport to be up? */
  get wanted(): boolean {
    return this.#wanted !== undefined;
  }

  /** The dial that is under way. */
  get dial(): Dial | undefined {
    return this.#dial;
  }

  /**
   * Keeps the transport up from now on.
   * @param address where the peer is; undefined: as last time, or wherever the address book says at the time
   */
  want(address: string | undefined): void {
    this.#wanted = { address: address ?? this.#wanted?.address };
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  /** Ends {@link want}: a link that is up stays, a lost one is not dialled again. */
  unwant(): void {
    this.#wanted = undefined;
    this.#unwanted.abort(new ClosedError("transport/removed", "The transport is not wanted any more"));
    this.#unwanted = new AbortController();
  }

  /**
   * Waits until there is a link, or until the dial that is under way, or the next one, fails.
   * @throws what the dial failed with; the reason of `signal`
   */
  async untilUp(signal?: AbortSignal): Promise<void> {
    if (this.#deps.slot.up) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { resolve, reject };
    this.#waiters.add(waiter);
    try {
      await untilAborted(promise, signal);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** A link was installed: nobody has to wait any more. */
  noteUp(): void {
    for (const waiter of this.#waiters) waiter.resolve();
  }

  /** Ends everything. @param reason for those who wait */
  async stop(reason: Error): Promise<void> {
    this.unwant();
    for (const waiter of this.#waiters) waiter.reject(reason);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { runtime, metrics, slot, logged } = this.#deps;
    const backoff = new Backoff({ random: runtime.random, ...REDIAL_MS });
    for (let isFirst = true; this.#wanted !== undefined;) {
      const unwanted = this.#unwanted.signal;
      if (slot.up) {
        const since = runtime.clock.monotonic();
        await slot.changed.next(unwanted).catch(() => {});
        if (runtime.clock.monotonic() - since >= STABLE_MS) backoff.reset();
        isFirst = false;
        continue;
      }
      if (!isFirst) await sleep(runtime.timers, backoff.nextMs(), unwanted).catch(() => {});
      if (slot.up || this.#wanted === undefined) continue;
      isFirst = false;
      try {
        await this.#dialOnce(this.#wanted.address, unwanted);
      } catch (error) {
        if (hasCode(error, "transport/superseded")) continue;
        metrics.dialsFailed.add();
        if (slot.up || this.#wanted === undefined) continue;
        runtime.log.debug("transport-dial-failed", { ...logged, error: describeError(error) });
        for (const waiter of this.#waiters) waiter.reject(error);
      }
    }
  }

  async #dialOnce(address: string | undefined, unwanted: AbortSignal): Promise<void> {
    const { connect, slot } = this.#deps;
    const abort = new AbortController();
    const { promise: outcome, resolve } = Promise.withResolvers<boolean>();
    const dial: Dial = { isCommitted: false, abort, outcome };
    this.#dial = dial;
    try {
      const signal = AbortSignal.any([abort.signal, unwanted]);
      await slot.install(await connect({ address, signal, onCommit: () => dial.isCommitted = true }));
      resolve(true);
    } finally {
      resolve(false);
      this.#dial = undefined;
    }
  }
}
