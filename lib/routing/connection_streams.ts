/** The faces of a connection as web streams. Tested in tests/routing/route_connection_test.ts. */

/** What they stand on. */
export interface StreamParts {
  /** The next message; undefined at the end. */
  readonly readMessage: () => Promise<Uint8Array | undefined>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly closeWrite: () => void;
  readonly close: () => void;
  readonly reset: () => void;
}

/** Both faces. */
export interface ConnectionStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Makes the faces of a connection. */
export function connectionStreams({ readMessage, write, closeWrite, close, reset }: StreamParts): ConnectionStreams {
  return {
    // A high-water mark of 0: nothing is taken before somebody wants it, so back-pressure reaches the other end.
    readable: new ReadableStream({
      async pull(controller): Promise<void> {
        const message = await readMessage();
        if (message === undefined) controller.close();
        else controller.enqueue(message);
      },
      cancel: close,
    }, { highWaterMark: 0 }),
    writable: new WritableStream({ write, close: closeWrite, abort: reset }),
  };
}
