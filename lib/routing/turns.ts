/** A bounded number of places, given out in the order of asking. */

import { untilAborted } from "../runtime/mod.ts";

/** Lets so many at a time pass. */
export class Turns {
  readonly #places: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  /** All places are free. @param places how many may be inside at once, ≥ 1 */
  constructor(places: number) {
    this.#places = places;
  }

  /**
   * Does work when there is a place for it.
   * @throws the reason of `signal` when it aborts before; what the work throws
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.#places) {
      this.#taken++;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    try {
      await untilAborted(promise, signal);
    } catch (error) {
      const index = this.#waiting.indexOf(resolve);
      // Its turn came in the very moment in which it gave up: the next one has it.
      if (index < 0) this.#leave();
      else this.#waiting.splice(index, 1);
      throw error;
    }
  }

  /** Hands the place on, or gives it back. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
