/** Waiting for a change: the one waker. A waiter looks at the state again after every wake-up. */

import type { Timers } from "./ports.ts";
import { sleep, untilAborted } from "./wait.ts";

/**
 * Wakes all who wait for a change. It keeps no state: check the condition, then wait without awaiting anything in
 * between, and no change is missed.
 */
export class Signal {
  #next: PromiseWithResolvers<void> | undefined;

  /** Something has changed. */
  notify(): void {
    this.#next?.resolve();
    this.#next = undefined;
  }

  /**
   * Resolves at the next {@link Signal.notify}.
   * @param signal ends the wait
   * @throws the reason of `signal`
   */
  next(signal?: AbortSignal): Promise<void> {
    this.#next ??= Promise.withResolvers();
    return untilAborted(this.#next.promise, signal);
  }

  /**
   * Waits for the next {@link Signal.notify}, but not for longer than a time.
   * @param timers where time comes from
   * @param ms how long at most, ms
   * @param signal ends the wait
   * @throws the reason of `signal`
   */
  async nextWithin(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const either = signal === undefined ? waiting.signal : AbortSignal.any([waiting.signal, signal]);
    try {
      await Promise.race([this.next(either), sleep(timers, ms, either)]);
    } finally {
      waiting.abort();
    }
  }
}
