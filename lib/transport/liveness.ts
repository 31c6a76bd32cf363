/**
 * Finds out whether a peer is still there, and how far away (extensions.md §1.2, §1.3). The v1.3 network has no such
 * thing at this level (transports.md W11): its links are left to TCP, and its visors write a warning into their log for
 * every ping (routing.md §1.2). So only peers are asked that said at settlement that they answer; a link on which such
 * a one falls silent is closed long before TCP would notice.
 */

import type { Clock, Timers } from "../runtime/mod.ts";
import type { MonotonicMs } from "../types/mod.ts";

/** Between pings: with it a vanished peer is noticed within 12 s, for 6 bytes a second. */
export const PING_INTERVAL_MS = 3_000;

/** Nothing heard for this long: three pings in a row are lost. */
export const SILENCE_MS = 9_000;

/** What a watch needs. */
export interface LivenessDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Sends a ping over the link. */
  readonly ping: (value: bigint) => void;
  /** Bytes received so far: any of them is a sign of life. */
  readonly receivedBytes: () => number;
  /** Called with every measured round trip. */
  readonly onRoundTrip: (ms: number) => void;
  /** Called once, when the peer has fallen silent. */
  readonly onSilence: () => void;
}

/** Watches one link from its beginning, until disposed. */
export class LivenessWatch implements Disposable {
  readonly #deps: LivenessDeps;
  readonly #sent = new Map<bigint, MonotonicMs>();
  #next = 0n;
  #heardBytes = 0;
  #heardAt: MonotonicMs;
  #cancel: () => void = () => {};

  constructor(deps: LivenessDeps) {
    this.#deps = deps;
    this.#heardAt = deps.clock.monotonic();
    this.#tick();
  }

  /** A ping was answered. Values that we did not send are ignored. */
  pong(value: bigint): void {
    const sentAt = this.#sent.get(value);
    if (sentAt === undefined) return;
    this.#sent.clear();
    this.#heardAt = this.#deps.clock.monotonic();
    this.#deps.onRoundTrip(this.#heardAt - sentAt);
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #tick(): void {
    const { clock, timers, ping, receivedBytes, onSilence } = this.#deps;
    const now = clock.monotonic();
    const bytes = receivedBytes();
    if (bytes !== this.#heardBytes) this.#heardAt = now;
    this.#heardBytes = bytes;
    if (now - this.#heardAt >= SILENCE_MS) return onSilence();
    const value = this.#next++;
    this.#sent.set(value, now);
    this.#cancel = timers.after(PING_INTERVAL_MS, () => this.#tick());
    ping(value);
  }
}
