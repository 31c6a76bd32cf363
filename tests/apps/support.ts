/** An overlay of two visors without visors: connections are TCP links on loopback. What the tests of apps share. */

import { RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import type { KeyedDialOptions, KeyedListener, KeyedNetwork, KeyedStream } from "../../lib/overlay/mod.ts";
import { type ByteLink, createQueue, type Queue, type Runtime } from "../../lib/runtime/mod.ts";
import type { PathStep, Port, PublicKey } from "../../lib/types/mod.ts";

/** Keys of visors; nothing here looks whether they are points of the curve. */
export const ALICE = `02${"a".repeat(64)}` as PublicKey;
export const BOB = `03${"b".repeat(64)}` as PublicKey;

/** The overlay, and what can happen to it. */
export interface TestOverlay extends AsyncDisposable {
  networkOf(key: PublicKey): KeyedNetwork;
  /** While true, every dial fails. */
  isDown: boolean;
  /** While true, connections carry nothing, and nobody is told: a route whose middle has vanished. */
  isSilent: boolean;
  /** Do connections say that they wait for a way? */
  isWaiting: boolean;
  /** Dials so far, with their paths. */
  readonly dials: (readonly PathStep[] | undefined)[];
  /** Breaks all connections. */
  cut(): void;
}

/** Makes an overlay. Its links are real sockets of the runtime. */
export async function createTestOverlay(runtime: Runtime): Promise<TestOverlay> {
  const listeners = new Map<string, Queue<KeyedStream>>();
  const sockets = await runtime.network.listen("127.0.0.1:0");
  const accepting = sockets[Symbol.asyncIterator]();
  const links = new Set<ByteLink>();

  const overlay: TestOverlay = {
    isDown: false,
    isSilent: false,
    isWaiting: false,
    dials: [],
    cut(): void {
      for (const link of links) link.close();
      links.clear();
    },
    networkOf: (key) => ({
      publicKey: key,
      async dial(remote: PublicKey, port: Port, options: KeyedDialOptions = {}): Promise<KeyedStream> {
        overlay.dials.push(options.path);
        options.signal?.throwIfAborted();
        const queue = listeners.get(`${remote}:${port}`);
        if (overlay.isDown || queue === undefined) throw new UnavailableError("route/not-found", "Dial");
        const [near, accepted] = await Promise.all([runtime.network.dial(sockets.address), accepting.next()]);
        const far = accepted.value as ByteLink;
        links.add(near).add(far);
        queue.push(makeConnection(far, key, overlay));
        return makeConnection(near, remote, overlay);
      },
      listen(port: Port): KeyedListener {
        const name = `${key}:${port}`;
        if (listeners.has(name)) throw new RefusedError("route/port-taken", `Listen on ${port}`);
        const queue = createQueue<KeyedStream>(16);
        listeners.set(name, queue);
        return {
          port,
          close(): void {
            listeners.delete(name);
            queue.close();
          },
          [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
        };
      },
    }),
    async [Symbol.asyncDispose](): Promise<void> {
      overlay.cut();
      sockets.close();
      await accepting.return?.();
    },
  };
  return overlay;
}

function makeConnection(link: ByteLink, remoteKey: PublicKey, overlay: TestOverlay): KeyedStream {
  return {
    remoteKey,
    remotePort: 3,
    localPort: 3,
    remoteAddress: link.remoteAddress,
    get isWaiting(): boolean {
      return overlay.isWaiting;
    },
    read: (into) => link.read(into),
    write: (bytes) => overlay.isSilent ? Promise.resolve() : link.write(bytes),
    close: () => link.close(),
  };
}

/** Runs an app until disposed. */
export async function runApp(app: {
  run(context: { readonly signal: AbortSignal; ready(): void }): Promise<void>;
}): Promise<AsyncDisposable> {
  const end = new AbortController();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const done = app.run({ signal: end.signal, ready: resolve });
  await Promise.race([ready, done]);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      end.abort();
      await done;
    },
  };
}
