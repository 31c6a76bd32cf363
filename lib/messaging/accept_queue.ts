/**
 * Streams of one listener between their handshake and the app that takes them. A place is reserved before a request is
 * answered, so that nobody gets a positive answer and then no stream (dmsg.md Q20).
 * Tested in tests/messaging/client_test.ts.
 */

import type { Timers } from "../runtime/mod.ts";
import type { MessagingStream } from "./stream.ts";

/** Places of a listener (dmsg.md §4.5): streams waiting for the app, and handshakes that have begun. */
export const ACCEPT_QUEUE_LENGTH = 20;

/** How long a request waits for a place, ms: a burst passes, a listener that nobody serves refuses soon. */
const PLACE_LIMIT_MS = 1_000;

/** Accepts and hands out streams, at most {@link ACCEPT_QUEUE_LENGTH} at a time. For one consumer. */
export class AcceptQueue implements AsyncIterable<MessagingStream> {
  readonly #timers: Timers;
  readonly #streams: MessagingStream[] = [];
  /** Who waits for a place, oldest first. */
  readonly #waiting = new Set<(hasPlace: boolean) => void>();
  #taken = 0;
  #closed = false;
  #wake = (): void => {};

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Reserves a place, waiting a little for one.
   * @returns false when there is none. After true, call {@link AcceptQueue.push} or {@link AcceptQueue.release} once.
   */
  reserve(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    if (this.#taken < ACCEPT_QUEUE_LENGTH) {
      this.#taken++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (hasPlace: boolean): void => {
        cancel();
        this.#waiting.delete(settle);
        resolve(hasPlace);
      };
      const cancel = this.#timers.after(PLACE_LIMIT_MS, () => settle(false));
      this.#waiting.add(settle);
    });
  }

  /** Gives a reserved place back. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else next(true);
  }

  /** Puts a stream into its reserved place; closes it when the listener has been closed meanwhile. */
  push(stream: MessagingStream): void {
    if (this.#closed) {
      this.release();
      return stream.close();
    }
    this.#streams.push(stream);
    this.#wake();
  }

  /** Ends the iteration, and closes what nobody took. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const settle of [...this.#waiting]) settle(false);
    for (const stream of this.#streams.splice(0)) stream.close();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MessagingStream> {
    while (true) {
      for (let next = this.#streams.shift(); next !== undefined; next = this.#streams.shift()) {
        this.release();
        yield next;
      }
      if (this.#closed) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
