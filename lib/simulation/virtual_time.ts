/** Time that passes only when nothing else is left to do. Tested in tests/simulation/simulation_test.ts. */

import { setImmediate } from "node:timers";
import { monotonicMs } from "../types/mod.ts";
import type { MonotonicMs } from "../types/mod.ts";
import type { Clock, Timers } from "../runtime/mod.ts";

/**
 * Turns of the event loop without a sign of life after which the program counts as quiet. Web streams and `Response`
 * bodies hand over within two turns; the rest is margin.
 */
const QUIET_TURNS = 5;

/** Turns at one point in time after which the program counts as running in circles. */
const MOST_TURNS = 1_000_000;

/** Real waits, 1 ms each, before a program that waits for nothing virtual counts as stuck: it may wait for a file. */
const REAL_WAITS = 200;

/** Where virtual time begins. */
export const START_WALL_MS: number = Date.UTC(2030, 0, 1);

/** A clock and timers on one virtual time, and the loop that drives them. */
export interface VirtualTime {
  /** The clock; it stands still outside {@link VirtualTime.run}. */
  readonly clock: Clock;
  /** The timers; they fire inside {@link VirtualTime.run}. */
  readonly timers: Timers;
  /** Tells the loop that something happened, so that it waits for what follows. Timers and twins call it. */
  touch(): void;
  /**
   * Lets time pass until work has ended. One call at a time.
   * @param goal the work, or a function that begins it
   * @param limitMs how much virtual time may pass, ms
   * @returns the result of the work
   * @throws what the work rejects with, or what a timer's callback throws
   * @throws {Error} when nothing can happen any more, or the limit is reached
   */
  run<T>(goal: PromiseLike<T> | (() => PromiseLike<T>), limitMs?: number): Promise<T>;
  /**
   * Lets time pass.
   * @param ms how much virtual time
   * @throws what a timer's callback throws
   */
  run(ms: number): Promise<void>;
  /** How many timers are set: for checks that nothing leaks. */
  readonly pendingTimers: number;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Makes a virtual time that begins at monotonic 0 and {@link START_WALL_MS}. */
export function createVirtualTime(): VirtualTime {
  let now = 0;
  let lastNanos = 0n;
  let touches = 0;
  let running = false;
  // Ordered by time, then by age. Insertion is a binary search: hundreds of timers, not millions.
  const queue: Timer[] = [];

  const clock: Clock = {
    monotonic: (): MonotonicMs => monotonicMs(now),
    wallMs: (): number => START_WALL_MS + Math.floor(now),
    wallNanos(): bigint {
      const nanos = BigInt(START_WALL_MS) * 1_000_000n + BigInt(Math.floor(now * 1e6));
      return lastNanos = nanos > lastNanos ? nanos : lastNanos + 1n;
    },
  };

  const timers: Timers = {
    after(ms: number, callback: () => void): () => void {
      touches++;
      const timer: Timer = { at: now + Math.max(0, ms), callback };
      let low = 0, high = queue.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((queue[middle] as Timer).at <= timer.at) low = middle + 1;
        else high = middle;
      }
      queue.splice(low, 0, timer);
      return () => {
        const index = queue.indexOf(timer);
        if (index >= 0) queue.splice(index, 1);
      };
    },
  };

  const untilQuiet = async (): Promise<void> => {
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns > MOST_TURNS) throw new Error("Simulation: the program runs in circles without time passing");
      const before = touches;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      quiet = touches === before ? quiet + 1 : 0;
    }
  };

  const drive = async (isDone: () => boolean, end: number): Promise<void> => {
    let realWaits = 0;
    while (true) {
      await untilQuiet();
      if (isDone()) return;
      const timer = queue[0];
      if (timer !== undefined && timer.at <= end) {
        queue.shift();
        now = Math.max(now, timer.at);
        realWaits = 0;
        timer.callback();
      } else if (timer !== undefined) {
        throw new Error(`Simulation: the goal was not reached by ${end} ms`);
      } else {
        if (realWaits++ >= REAL_WAITS) throw new Error(`Simulation: stuck at ${now} ms, nothing is left to happen`);
        await new Promise<void>((resolve) => void setTimeout(resolve, 1));
      }
    }
  };

  const run = async (
    goal: PromiseLike<unknown> | (() => PromiseLike<unknown>) | number,
    limitMs = 3_600_000,
  ): Promise<unknown> => {
    if (running) throw new Error("Simulation: run() inside run()");
    running = true;
    try {
      if (typeof goal === "number") {
        const end = now + goal;
        let reached = false;
        timers.after(goal, () => reached = true);
        await drive(() => reached, end);
        return undefined;
      }
      let done = false;
      const result = Promise.resolve(typeof goal === "function" ? goal() : goal);
      const settled = result.then(() => {}, () => {}).finally(() => done = true);
      await drive(() => done, now + limitMs);
      await settled;
      return await result;
    } finally {
      running = false;
    }
  };

  return {
    clock,
    timers,
    touch: () => void touches++,
    run: run as VirtualTime["run"],
    get pendingTimers(): number {
      return queue.length;
    },
  };
}
