/**
 * Keeps transport discovery in step with the transports that live here (transports.md §3, 4.5, 5.7, 6.4). One says what
 * should be so, per transport id; the requests follow in the background, one at a time for each id, and are repeated.
 */

import { describeError, RefusedError } from "../errors/mod.ts";
import { Backoff, randomFraction, Signal, sleep, withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { PublicKey, TransportId } from "../types/mod.ts";
import type { SignedEntry, TransportEntry } from "../wire/transport_entry.ts";
import type { EdgeStatus } from "../wire/transport_status.ts";
import type { TransportMetrics } from "./metrics.ts";

/** What is needed of transport discovery; its client in `lib/services` has it. */
export interface TransportRegistry {
  /** Lists transports, signed by both edges. @throws {RefusedError} when it will never do so */
  register(signed: SignedEntry[]): Promise<void>;
  /** Takes a transport off the list. @throws {RefusedError} when it is not there, or not ours */
  deregister(id: TransportId): Promise<void>;
  /** What is listed for a visor. */
  byEdge(key: PublicKey): Promise<readonly TransportEntry[]>;
  /**
   * Says how transports are. Absent: discovery takes no reports.
   * @returns those that are not listed; undefined when discovery takes no reports
   */
  report?(statuses: readonly EdgeStatus[]): Promise<readonly TransportId[] | undefined>;
}

/** Longer than any answer that is still of use; v1.3 waits for ever (transports.md W4). */
const REQUEST_TIMEOUT_MS = 15_000;

/** How long a link waits for the first answer of discovery, ms: see {@link RegistrationLoop.registerFirst}. */
const FIRST_ANSWER_MS = 1_000;

/** The delays between tries of one request: v1.3's for deregistration (transports.md §4.5). */
const RETRY_MS = { firstMs: 1_000, maxMs: 20_000 };

/**
 * How often a request is tried (transports.md §4.5). A deregistration is then left to the discovery, which cleans up; a registration
 * to the comparison below, which also finds out that discovery had the entry all the time and answers repeats with
 * errors, as v1.3's does (transports.md Q3).
 */
const MOST_TRIES = 5;

/** How often the list is compared, unless reports tell that an entry was lost (transports.md §5.7, Q8). */
const CHECK_MS = 60_000;

/** How long closing may wait for the last deregistrations. A visor must be gone 2 s after it was told to stop. */
const CLOSE_WITHIN_MS = 1_500;

/** What a registration loop is made of. */
export interface RegistrationDeps {
  readonly runtime: Pick<Runtime, "timers" | "random" | "log">;
  readonly registry: TransportRegistry;
  readonly localKey: PublicKey;
  readonly metrics: Pick<TransportMetrics, "registrationsFailed">;
  /** Will {@link RegistrationLoop.restore} be called with what is not listed? Then nothing is compared. Default: no. */
  readonly isTold?: () => boolean;
}

interface Listing {
  /** What should be listed; undefined: nothing. */
  wanted: SignedEntry | undefined;
  /** Is it so, as far as we know? */
  done: boolean;
  tries: number;
  /** Ends the pause between tries. */
  readonly hurry: Signal;
  /** Tells that a try has ended. */
  readonly tried: Signal;
  worker: Promise<void> | undefined;
}

/** See the top of the file. Disposing lets pending deregistrations end, within 1.5 s. */
export class RegistrationLoop implements AsyncDisposable {
  readonly #deps: RegistrationDeps;
  readonly #listings = new Map<TransportId, Listing>();
  readonly #closing = new AbortController();
  readonly #checking: Promise<void>;
  #closed = false;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
    this.#checking = this.#checkForever();
  }

  /** The transport lives, and we are the one who lists it (the responder). Harmless when repeated with the same object. */
  register(signed: SignedEntry): void {
    if (this.#listings.get(signed.entry.id)?.wanted !== signed) this.#want(signed.entry.id, signed);
  }

  /**
   * Registers, and waits for the answer of discovery, whatever it is, for 1 s at most. Without an answer the registration
   * goes on in the background.
   * @throws the reason of `signal`
   */
  async registerFirst(signed: SignedEntry, signal: AbortSignal): Promise<void> {
    this.register(signed);
    const listing = this.#listings.get(signed.entry.id);
    if (listing?.wanted !== signed || listing.done || listing.tries > 1) return;
    await listing.tried.nextWithin(this.#deps.runtime.timers, FIRST_ANSWER_MS, signal);
  }

  /** The transport has gone for good. Both edges say so; that it was not listed is fine. */
  deregister(id: TransportId): void {
    this.#want(id, undefined);
  }

  /** The transport lives, and the other edge lists it: nothing of ours is pending any more. */
  leaveToOther(id: TransportId): void {
    this.#listings.get(id)?.hurry.notify();
    this.#listings.delete(id);
  }

  /** Discovery does not list these: those that should be are registered again. */
  restore(ids: readonly TransportId[]): void {
    for (const id of ids) {
      const listing = this.#listings.get(id);
      if (listing?.done === true && listing.wanted !== undefined) this.#want(id, listing.wanted);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const leaving = [...this.#listings.values()].filter(({ wanted }) => wanted === undefined);
    for (const { hurry } of leaving) hurry.notify();
    await withTimeout(() => Promise.all(leaving.map(({ worker }) => worker)), {
      timers: this.#deps.runtime.timers,
      ms: CLOSE_WITHIN_MS,
      code: "transport/deregistration-timeout",
      message: "Deregister the last transports",
    }).catch(() => {});
    this.#listings.clear();
    this.#closing.abort();
    await this.#checking;
  }

  #want(id: TransportId, wanted: SignedEntry | undefined): void {
    const listing = this.#listings.get(id) ??
      { wanted, done: false, tries: 0, hurry: new Signal(), tried: new Signal(), worker: undefined };
    this.#listings.set(id, listing);
    listing.wanted = wanted;
    listing.done = false;
    listing.tries = 0;
    listing.hurry.notify();
    listing.worker ??= this.#work(id, listing);
  }

  async #work(id: TransportId, listing: Listing): Promise<void> {
    const { runtime, metrics } = this.#deps;
    const backoff = new Backoff({ random: runtime.random, ...RETRY_MS });
    while (this.#listings.get(id) === listing && !listing.done) {
      const { wanted } = listing;
      listing.tries++;
      try {
        await this.#request(wanted, id).finally(() => listing.tried.notify());
        backoff.reset();
        if (listing.wanted === wanted) listing.done = true;
      } catch (error) {
        // That it was not there is how one of both edges learns that the other has deregistered (transports.md Q7).
        if (wanted !== undefined || !(error instanceof RefusedError)) {
          metrics.registrationsFailed.add();
          runtime.log.debug("transport-registration-failed", { transport: id, error: describeError(error) });
        }
        if (listing.wanted !== wanted) continue;
        const final = error instanceof RefusedError || listing.tries >= MOST_TRIES || this.#closed;
        if (final) listing.done = true;
        else await this.#pause(listing, backoff.nextMs());
      }
    }
    // In the same turn as the loop's last look, so that no change falls between.
    listing.worker = undefined;
    if (listing.wanted === undefined && this.#listings.get(id) === listing) this.#listings.delete(id);
  }

  #request(wanted: SignedEntry | undefined, id: TransportId): Promise<void> {
    const { registry, runtime } = this.#deps;
    return withTimeout(() => wanted === undefined ? registry.deregister(id) : registry.register([wanted]), {
      timers: runtime.timers,
      ms: REQUEST_TIMEOUT_MS,
      signal: this.#closing.signal,
      code: "transport/registration-timeout",
      message: "Ask transport discovery",
    });
  }

  async #pause(listing: Listing, ms: number): Promise<void> {
    await listing.hurry.nextWithin(this.#deps.runtime.timers, ms, this.#closing.signal).catch(() => {});
  }

  async #checkForever(): Promise<void> {
    const { runtime, registry, localKey, isTold = (): boolean => false } = this.#deps;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Up to a quarter earlier, so that visors started together do not ask together.
      const ms = CHECK_MS * (1 - randomFraction(runtime.random) / 4);
      await sleep(runtime.timers, ms, signal).catch(() => {});
      const registered = [...this.#listings].filter(([, { wanted, done }]) => wanted !== undefined && done);
      if (signal.aborted || registered.length === 0 || isTold()) continue;
      try {
        const listed = await withTimeout(() => registry.byEdge(localKey), {
          timers: runtime.timers,
          ms: REQUEST_TIMEOUT_MS,
          signal,
          code: "transport/registration-timeout",
          message: "Ask transport discovery",
        });
        const ids = new Set(listed.map(({ id }) => id));
        this.restore(registered.map(([id]) => id).filter((id) => !ids.has(id)));
      } catch (error) {
        if (!signal.aborted) runtime.log.debug("transport-registration-check-failed", { error: describeError(error) });
      }
    }
  }
}
