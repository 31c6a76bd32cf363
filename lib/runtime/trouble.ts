/**
 * Work that goes on in the background and is tried until it succeeds. What has not worked for 10 s is told: once in the
 * log for each reason that tries fail for, and to status reports for as long as it lasts.
 */

import type { Log, Timers } from "./ports.ts";

/** A restart of what is needed takes less; a person who waits for it has not gone away yet, ms. */
const TOLD_AFTER_MS = 10_000;

/** Reasons that are told while it lasts: enough for each server that is tried, and no way to fill a log. */
const MOST_REASONS = 8;

/** What {@link Trouble} needs. */
export interface TroubleDeps {
  /** Where time comes from. */
  readonly timers: Timers;
  /** Gets a warning after 10 s and when another reason comes up, and a line at info when it works again. */
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
  /** Empty until 10 s have passed. */
  readonly #told = new Set<string | undefined>();

  /** Nothing is wrong yet. */
  constructor(deps: TroubleDeps) {
    this.#deps = deps;
  }

  /** What does not work and why, once it has lasted 10 s; undefined before, and while it works. */
  get problem(): string | undefined {
    return this.#told.size > 0 ? `${this.#deps.what}: ${this.#reason ?? "no try has ended yet"}` : undefined;
  }

  /** It does not work. @param reason of the last try; absent: none has ended yet */
  lasts(reason?: string): void {
    this.#reason = reason ?? this.#reason;
    if (this.#told.size > 0) this.#tell();
    this.#cancel ??= this.#deps.timers.after(TOLD_AFTER_MS, () => this.#tell());
  }

  /** It works. */
  ends(): void {
    if (this.#told.size > 0) this.#deps.log.info("works-again", { was: this.#deps.event });
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#reason = undefined;
    this.#told.clear();
  }

  #tell(): void {
    if (this.#told.has(this.#reason) || this.#told.size >= MOST_REASONS) return;
    this.#told.add(this.#reason);
    this.#deps.log.warn(this.#deps.event, { problem: this.problem });
  }
}
