/**
 * One at a time, first come first served, and whoever waits can give up. Tested in
 * tests/transport/transport_table_test.ts.
 */

import { untilAborted } from "./wait.ts";

/** Guards what only one task may do at a time. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();

  /**
   * Waits for the turn.
   * @param signal gives up
   * @returns ends the turn; must be called, harmless when repeated
   * @throws the reason of `signal`
   */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = before.then(() => promise);
    try {
      await untilAborted(before, signal);
    } catch (error) {
      resolve();
      throw error;
    }
    return resolve;
  }
}
