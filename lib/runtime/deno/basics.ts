/** Clock, timers and randomness on Deno. */

import { monotonicMs } from "../../types/mod.ts";
import type { MonotonicMs } from "../../types/mod.ts";
import type { Clock, Random, Timers } from "../ports.ts";

/** `setTimeout` fires at once beyond 2^31−1 ms; nobody here waits longer than 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** `getRandomValues` refuses more at a time (Web Crypto §10.1.1). */
const RANDOM_CHUNK_BYTES = 65_536;

/** The clocks of the machine. */
export function createDenoClock(): Clock {
  let lastNanos = 0n;
  return {
    monotonic: (): MonotonicMs => monotonicMs(performance.now()),
    wallMs: (): number => Date.now(),
    wallNanos(): bigint {
      const now = BigInt(Date.now()) * 1_000_000n;
      lastNanos = now > lastNanos ? now : lastNanos + 1n;
      return lastNanos;
    },
  };
}

/** Timers of the event loop. */
export function createDenoTimers(): Timers {
  return {
    after(ms: number, callback: () => void): () => void {
      const timer = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
      return () => clearTimeout(timer);
    },
  };
}

/** Randomness of the operating system. */
export function createDenoRandom(): Random {
  return {
    bytes(length: number): Uint8Array<ArrayBuffer> {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += RANDOM_CHUNK_BYTES) {
        crypto.getRandomValues(bytes.subarray(at, at + RANDOM_CHUNK_BYTES));
      }
      return bytes;
    },
  };
}
