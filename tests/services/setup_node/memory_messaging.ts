/** Messaging without servers: parties that reach each other by key and port, in memory. */

import { RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import { createQueue, type Queue } from "../../../lib/runtime/mod.ts";
import type { Port, PublicKey } from "../../../lib/types/mod.ts";
import type { SetupListener, SetupNetwork, SetupStream } from "../../../lib/services/setup_node/mod.ts";
import { linkPair } from "../../fakes/link_pair.ts";

/** Makes a network; ask it for the view of each party. */
export function createMemoryMessaging(): { of(key: PublicKey): SetupNetwork; readonly dials: readonly string[] } {
  const listeners = new Map<string, Queue<SetupStream>>();
  const dials: string[] = [];
  const listen = (key: PublicKey, port: Port): SetupListener => {
    const name = `${key}:${port}`;
    if (listeners.has(name)) throw new RefusedError("messaging/port-taken", `Listen on ${port}`);
    const queue = createQueue<SetupStream>(1000);
    listeners.set(name, queue);
    return {
      close: () => {
        listeners.delete(name);
        queue.close();
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    };
  };
  const dial = async (
    from: PublicKey,
    to: { key: PublicKey; port: Port; signal?: AbortSignal },
  ): Promise<SetupStream> => {
    dials.push(`${to.key}:${to.port}`);
    await Promise.resolve();
    to.signal?.throwIfAborted();
    const queue = listeners.get(`${to.key}:${to.port}`);
    if (queue === undefined) {
      throw new UnavailableError("messaging/unreachable", `dmsg error 100 - entry is not found in discovery`);
    }
    const [here, there] = linkPair();
    queue.push({ ...there, remoteKey: from });
    return { ...here, remoteKey: to.key };
  };
  return {
    dials,
    of: (key) => ({
      dial: (remote, port, options = {}) => dial(key, { key: remote, port, ...options }),
      listen: (port) => listen(key, port),
    }),
  };
}
