/**
 * Streams of one listener between their handshake and the app that takes them. A place is reserved before a request is
 * answered, so that nobody gets a positive answer and then no stream (dmsg.md Q20).
 * Tested in tests/messaging/client_test.ts.
 */

import { ClosedError } from "../errors/mod.ts";
import { createQueue, Semaphore, withTimeout } from "../runtime/mod.ts";
import type { Timers } from "../runtime/mod.ts";
import type { MessagingStream } from "./stream.ts";

/** Places of a listener (dmsg.md §4.5): streams waiting for the app, and handshakes that have begun. */
export const ACCEPT_QUEUE_LENGTH = 20;

/** How long a request waits for a place, ms: a burst passes, a listener that nobody serves refuses soon. */
const PLACE_LIMIT_MS = 1_000;

/** Accepts and hands out streams, at most {@link ACCEPT_QUEUE_LENGTH} at a time. For one consumer. */
export class AcceptQueue implements AsyncIterable<MessagingStream> {
  readonly #timers: Timers;
  readonly #places = new Semaphore(ACCEPT_QUEUE_LENGTH);
  readonly #streams = createQueue<{ readonly stream: MessagingStream; readonly release: () => void }>(
    ACCEPT_QUEUE_LENGTH,
  );
  readonly #closing = new AbortController();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Reserves a place, waiting a little for one.
   * @returns gives the place back, harmless when repeated; undefined when there is none
   */
  async reserve(): Promise<(() => void) | undefined> {
    try {
      return await withTimeout((signal) => this.#places.acquire(signal), {
        timers: this.#timers,
        ms: PLACE_LIMIT_MS,
        code: "messaging/busy",
        message: "Wait for a place in the queue of a listener",
        signal: this.#closing.signal,
        discard: (release) => release(),
      });
    } catch {
      return undefined;
    }
  }

  /**
   * Queues a stream; closes it when the listener has been closed meanwhile.
   * @param stream opened, nobody's yet
   * @param release gives its place back, from {@link AcceptQueue.reserve}
   */
  push(stream: MessagingStream, release: () => void): void {
    if (this.#streams.push({ stream, release })) return;
    release();
    stream.close();
  }

  /** Ends the iteration, and closes what nobody took. */
  close(): void {
    this.#closing.abort(new ClosedError("messaging/closed", "The listener was closed"));
    this.#streams.close();
    for (const { stream, release } of this.#streams.drain()) {
      release();
      stream.close();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MessagingStream> {
    for await (const { stream, release } of this.#streams) {
      release();
      yield stream;
    }
  }
}
