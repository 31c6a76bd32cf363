/** What accepts connections on one port of the visor. */

import { createQueue } from "../runtime/mod.ts";
import type { Port } from "../types/mod.ts";
import type { RouteConnection } from "./route_connection.ts";

/** Connections whose handshake is done and that nobody has taken yet. v1.3 keeps a million; each holds an inbox. */
const MAX_WAITING = 128;

/** Accepts connections to one port. Iteration ends when it is closed. */
export interface RouteListener extends AsyncIterable<RouteConnection> {
  /** Where it listens. */
  readonly port: Port;
  /** Stops accepting and closes what nobody took. Connections already taken live on. Harmless when repeated. */
  close(): void;
}

/** A listener as the router fills it. */
export interface FillableListener extends RouteListener {
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
