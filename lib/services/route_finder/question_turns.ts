/**
 * Questions take turns on the thread that serves all: one at a time, host after host. A host with many long
 * questions delays itself. Others wait for one question of each asking host at most.
 */

import { UnavailableError } from "../../errors/mod.ts";
import type { Clock, Timers } from "../../runtime/mod.ts";

/** A question that took so long lets others of the thread run before the next one, ms. */
const LONG_MS = 5;

/** Questions of one host that may wait. */
const MAX_WAITING_PER_HOST = 64;

/** Questions that may wait in all: each holds a connection and its body. */
const MAX_WAITING = 1_024;

/** See the top of the file. */
export class QuestionTurns {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #timers: Timers;
  /** What waits, by host; the host whose turn it is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #count = 0;
  #isBusy = false;

  constructor(deps: { readonly clock: Pick<Clock, "monotonic">; readonly timers: Timers }) {
    this.#clock = deps.clock;
    this.#timers = deps.timers;
  }

  /**
   * Does the work of a question when it is its turn: at once, unless another one was long.
   * @throws {UnavailableError} `route-finder/busy` when too many wait; what the work throws
   */
  run<T>(host: string, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        const startMs = this.#clock.monotonic();
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
        if (this.#clock.monotonic() - startMs >= LONG_MS) this.#rest();
      };
      if (!this.#isBusy) return go();
      const queue = this.#waiting.get(host) ?? [];
      if (queue.length >= MAX_WAITING_PER_HOST || this.#count >= MAX_WAITING) {
        return reject(
          new UnavailableError("route-finder/busy", "Find routes: too many questions wait; ask again later"),
        );
      }
      queue.push(go);
      this.#waiting.set(host, queue);
      this.#count++;
    });
  }

  #rest(): void {
    this.#isBusy = true;
    this.#timers.after(0, () => {
      this.#isBusy = false;
      while (!this.#isBusy && this.#count > 0) this.#next();
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [host, queue] = first;
    this.#waiting.delete(host);
    const go = queue.shift();
    if (queue.length > 0) this.#waiting.set(host, queue);
    this.#count--;
    go?.();
  }
}
