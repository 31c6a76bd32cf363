/**
 * Finds out whether a peer is still there, and how far away (extensions.md §1.2, §1.3). A link on which the peer falls
 * silent is closed long before TCP would notice. Only peers with the feature `transport-pings` are asked: v1.3 leaves its
 * links to TCP (transports.md W11), and its visors write a warning into their log for every ping (routing.md §1.2).
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
  /** Called with every measured round trip. */
  readonly onRoundTrip: (ms: number) => void;
  /** Called once, when the peer has fallen silent. */
  readonly onSilence: () => void;
}

/** The link that is watched. */
export interface WatchedLink {
  /** Sends a ping. */
  readonly ping: (value: bigint) => void;
  /** Bytes received so far: any of them is a sign of life. */
  readonly receivedBytes: () => number;
}

/** Watches one link from {@link LivenessWatch.start} until disposed. It takes pongs at any time. */
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
  }

  /** Sends the first ping. */
  start(link: WatchedLink): void {
    this.#heardAt = this.#deps.clock.monotonic();
    this.#tick(link);
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

  #tick(link: WatchedLink): void {
    const { clock, timers, onSilence } = this.#deps;
    const now = clock.monotonic();
    const bytes = link.receivedBytes();
    if (bytes !== this.#heardBytes) this.#heardAt = now;
    this.#heardBytes = bytes;
    if (now - this.#heardAt >= SILENCE_MS) return onSilence();
    const value = this.#next++;
    this.#sent.set(value, now);
    this.#cancel = timers.after(PING_INTERVAL_MS, () => this.#tick(link));
    link.ping(value);
  }
}
