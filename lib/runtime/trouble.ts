/**
 * Work that goes on in the background and is tried until it succeeds. What has not worked for 10 s is told: once in the
 * log, with the reason of the last try, and to status reports for as long as it lasts.
 */

import type { Log, Timers } from "./ports.ts";

/** A restart of what is needed takes less; a person who waits for it has not gone away yet, ms. */
const TOLD_AFTER_MS = 10_000;

/** What {@link Trouble} needs. */
export interface TroubleDeps {
  /** Where time comes from. */
  readonly timers: Timers;
  /** Gets a warning after 10 s, and a line at info when it works again. */
  readonly log: Log;
  /** The event of the warning, such as `entry-not-published`. */
  readonly event: string;
  /** What does not work, as the beginning of a sentence. */
  readonly what: string;
}

/** See the top of the file. It begins as something that works. Disposing forgets it. */
export class Trouble implements Disposable {
  readonly #deps: TroubleDeps;
  #reason: string | undefined;
  #cancel: (() => void) | undefined;
  #isTold = false;

  /** Nothing is wrong yet. */
  constructor(deps: TroubleDeps) {
    this.#deps = deps;
  }

  /** What does not work and why, once it has lasted 10 s; undefined before, and while it works. */
  get problem(): string | undefined {
    return this.#isTold ? `${this.#deps.what}: ${this.#reason ?? "no try has ended yet"}` : undefined;
  }

  /** It does not work. @param reason of the last try; absent: none has ended yet */
  lasts(reason?: string): void {
    this.#reason = reason ?? this.#reason;
    this.#cancel ??= this.#deps.timers.after(TOLD_AFTER_MS, () => {
      this.#isTold = true;
      this.#deps.log.warn(this.#deps.event, { problem: this.problem });
    });
  }

  /** It works. */
  ends(): void {
    if (this.#isTold) this.#deps.log.info("works-again", { was: this.#deps.event });
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#reason = undefined;
    this.#isTold = false;
  }
}
