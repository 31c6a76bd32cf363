/** What a transport's links have shown of it within the last hour: how often they were lost, and how much went through. */

import type { MonotonicMs } from "../types/mod.ts";

/** How long losses count, and half of how long throughput does. */
const HOUR_MS = 3_600_000;

/** Losses that are remembered: redialling pauses 3 s at most, so an hour of nothing but losses has 1,200. */
const MOST_LOSSES = 1_200;

/** Less than this says nothing of what could go through, MB/s: nobody sent more. */
const TRICKLE_MBPS = 1;

const BYTES_PER_MB = 1_000_000;

/** Bytes that went through so far, in each direction. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** See the top of the file. Time comes in as argument. */
export class LinkHistory {
  readonly #losses: MonotonicMs[] = [];
  #last: { readonly traffic: Traffic; readonly at: MonotonicMs } | undefined;
  /** The most that was seen in this half of the window, and in the one before. */
  #peak = 0;
  #peakBefore = 0;
  #halfSince: MonotonicMs | undefined;

  /** A link was lost. */
  noteLoss(now: MonotonicMs): void {
    this.#losses.push(now);
    if (this.#losses.length > MOST_LOSSES) this.#losses.shift();
  }

  /** To be called every few seconds: throughput is the mean of the time between two calls. */
  noteTraffic(traffic: Traffic, now: MonotonicMs): void {
    const last = this.#last;
    this.#last = { traffic, at: now };
    this.#halfSince ??= now;
    if (now - this.#halfSince >= HOUR_MS / 2) {
      this.#halfSince = now;
      this.#peakBefore = this.#peak;
      this.#peak = 0;
    }
    if (last === undefined || now <= last.at) return;
    const bytes = Math.max(
      traffic.sentBytes - last.traffic.sentBytes,
      traffic.receivedBytes - last.traffic.receivedBytes,
    );
    this.#peak = Math.max(this.#peak, bytes / BYTES_PER_MB / ((now - last.at) / 1000));
  }

  /** How often a link was lost within the last hour. */
  resetsPerHour(now: MonotonicMs): number {
    while (this.#losses[0] !== undefined && now - this.#losses[0] > HOUR_MS) this.#losses.shift();
    return this.#losses.length;
  }

  /** The most that went through in one direction within the last half to whole hour, MB/s; undefined for a trickle. */
  get throughputMBps(): number | undefined {
    const peak = Math.max(this.#peak, this.#peakBefore);
    return peak < TRICKLE_MBPS ? undefined : peak;
  }
}
