/** The faces of a connection as web streams. Tested in tests/routing/route_connection_test.ts. */

import type { RouteConnection } from "./route_connection.ts";

/** Both faces. */
export type ConnectionStreams = Pick<RouteConnection, "readable" | "writable">;

/** Makes the faces of a connection. @param readMessage gives the next message; undefined at the end */
export function connectionStreams(
  connection: Pick<RouteConnection, "write" | "closeWrite" | "close" | "reset">,
  readMessage: () => Promise<Uint8Array | undefined>,
): ConnectionStreams {
  return {
    // A high-water mark of 0: nothing is taken before somebody wants it, so back-pressure reaches the other end.
    readable: new ReadableStream({
      async pull(controller): Promise<void> {
        const message = await readMessage();
        if (message === undefined) controller.close();
        else controller.enqueue(message);
      },
      cancel: () => connection.close(),
    }, { highWaterMark: 0 }),
    writable: new WritableStream({
      write: (chunk) => connection.write(chunk),
      close: () => connection.closeWrite(),
      abort: () => connection.reset(),
    }),
  };
}
