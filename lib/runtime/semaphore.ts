/** A bounded number of places, given out in the order of asking. With one place it is a mutex. */

import { untilAborted } from "./wait.ts";

/** Lets so many tasks at a time pass. A waiting task can give up. */
export class Semaphore {
  #free: number;
  /** Who waits, longest first. */
  readonly #waiting = new Set<() => void>();

  /** All places are free. @param places how many tasks may be inside at once, ≥ 1 */
  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Waits for a place.
   * @param signal gives up
   * @returns gives the place back; must be called, harmless when repeated
   * @throws the reason of `signal`
   */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    let isHeld = true;
    return () => {
      if (isHeld) this.#leave();
      isHeld = false;
    };
  }

  /**
   * Does work in a place.
   * @throws the reason of `signal` when it aborts before; what the work throws
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await untilAborted(promise, signal);
    } catch (error) {
      // Its turn came in the moment in which it gave up: the next one has it.
      if (!this.#waiting.delete(resolve)) this.#leave();
      throw error;
    }
  }

  /** Hands the place on, or gives it back. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
