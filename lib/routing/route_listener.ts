/** What accepts connections on one port of the visor. Tested in tests/routing/connection_table_test.ts. */

import type { KeyedListener } from "../overlay/mod.ts";
import { createQueue } from "../runtime/mod.ts";
import type { Port } from "../types/mod.ts";
import type { RouteConnection } from "./route_connection.ts";

/** Connections whose handshake is done and that nobody has taken yet. v1.3 keeps a million; each holds an inbox. */
const MAX_WAITING = 128;

/** A listener as the router fills it. */
export interface FillableListener extends KeyedListener<RouteConnection> {
  /** Adds a connection. @returns false when too many wait already */
  offer(connection: RouteConnection): boolean;
}

/** Makes a listener. `onClose` gives the port back. */
export function createRouteListener(port: Port, onClose: () => void): FillableListener {
  const queue = createQueue<RouteConnection>(MAX_WAITING);
  return {
    port,
    offer: (connection) => queue.push(connection),
    close(): void {
      queue.close();
      for (const connection of queue.drain()) connection.close();
      onClose();
    },
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  };
}
