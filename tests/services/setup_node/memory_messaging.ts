/** Messaging without servers: parties that reach each other by key and port, in memory. */

import { RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import { createQueue, type Queue } from "../../../lib/runtime/mod.ts";
import type { Port, PublicKey } from "../../../lib/types/mod.ts";
import type { KeyedListener, KeyedNetwork, KeyedStream } from "../../../lib/overlay/mod.ts";
import { linkPair } from "../../fakes/link_pair.ts";

/** The port of who dials; nobody looks at it. */
const EPHEMERAL: Port = 49_153;

/** Makes a network; ask it for the view of each party. */
export function createMemoryMessaging(): { of(key: PublicKey): KeyedNetwork; readonly dials: readonly string[] } {
  const listeners = new Map<string, Queue<KeyedStream>>();
  const dials: string[] = [];
  const listen = (key: PublicKey, port: Port): KeyedListener => {
    const name = `${key}:${port}`;
    if (listeners.has(name)) throw new RefusedError("messaging/port-taken", `Listen on ${port}`);
    const queue = createQueue<KeyedStream>(1000);
    listeners.set(name, queue);
    return {
      port,
      close: () => {
        listeners.delete(name);
        queue.close();
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    };
  };
  const dial = async (
    from: PublicKey,
    to: { key: PublicKey; port: Port; signal?: AbortSignal | undefined },
  ): Promise<KeyedStream> => {
    dials.push(`${to.key}:${to.port}`);
    await Promise.resolve();
    to.signal?.throwIfAborted();
    const queue = listeners.get(`${to.key}:${to.port}`);
    if (queue === undefined) {
      throw new UnavailableError("messaging/unreachable", `dmsg error 100 - entry is not found in discovery`);
    }
    const [here, there] = linkPair();
    queue.push({ ...there, remoteKey: from, remotePort: EPHEMERAL, localPort: to.port });
    return { ...here, remoteKey: to.key, remotePort: to.port, localPort: EPHEMERAL };
  };
  return {
    dials,
    of: (key) => ({
      publicKey: key,
      dial: (remote, port, options = {}) => dial(key, { key: remote, port, ...options }),
      listen: (port) => listen(key, port),
    }),
  };
}
