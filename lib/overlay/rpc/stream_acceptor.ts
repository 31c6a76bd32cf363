/**
 * Accepts streams and answers the calls on them, within limits: how many there are, and how long one may say nothing.
 *
 * A stream may carry one request after the other, since opening one costs several signatures and key agreements. So
 * most open streams wait for a request that may never come; they make room when others need it. A client that
 * writes a request on such a stream as it closes sees its end instead of an answer. It asks again on a fresh stream.
 * Tested in tests/services/setup_node/setup_node_test.ts.
 */

import type { Timers } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { type RpcHandler, serveRpc } from "./mod.ts";
import type { KeyedListener, KeyedStream } from "../keyed_network.ts";

/**
 * A stream on which no call begins or ends for this long is closed, ms. The longest call, a whole request, has 30 s
 * (routing.md §5.4); between two requests our own clients keep a stream for less (`KEPT_MS` in `client_pool.ts`).
 */
export const SILENCE_MS = 40_000;

/** Who may speak, how many at a time, and what answers them. */
export interface StreamService {
  /** For the silence. */
  readonly timers: Timers;
  /** Streams in all. */
  readonly maxStreams: number;
  /** Streams of one other party. */
  readonly maxStreamsPerRemote: number;
  /** Calls of one stream that run at once. Default: as `serveRpc`. */
  readonly maxConcurrentCalls?: number;
  /** Says who may speak at all; the streams of others are closed unread. */
  readonly admit: (remote: PublicKey) => boolean;
  /** What answers the calls of a stream; asked once for each. */
  readonly handlers: (stream: KeyedStream) => readonly RpcHandler[];
}

/** A loop that accepts streams. Disposing ends it: listener and streams are closed, and running calls waited for. */
export class StreamAcceptor implements AsyncDisposable {
  readonly #listener: KeyedListener;
  readonly #service: StreamService;
  /** Those that count, in the order in which they were last used. */
  readonly #streams = new Set<ServedStream>();
  readonly #unfinished = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #closing = false;

  /** Begins to accept. @param listener taken over */
  constructor(listener: KeyedListener, service: StreamService) {
    this.#listener = listener;
    this.#service = service;
    this.#accepting = this.#acceptAll();
  }

  /** Streams being served. */
  get open(): number {
    return this.#streams.size;
  }

  /** Ends it, see the class. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#listener.close();
    for (const stream of this.#streams) stream.end();
    await this.#accepting;
    await Promise.all(this.#unfinished);
  }

  async #acceptAll(): Promise<void> {
    for await (const stream of this.#listener) {
      if (!this.#closing && this.#service.admit(stream.remoteKey) && this.#hasRoom(stream.remoteKey)) {
        this.#serve(stream);
      } else stream.close();
    }
  }

  /**
   * Is there room for one more? A party that has all its streams loses the one that has waited longest for its next request;
   * a first request may still be on its way. When others have taken all, the stream that
   * has been idle longest closes: keys cost nothing, and idle streams must not keep out parties that ask.
   */
  #hasRoom(remote: PublicKey): boolean {
    const { maxStreams, maxStreamsPerRemote } = this.#service;
    const own = [...this.#streams].filter((stream) => stream.remoteKey === remote);
    if (own.length >= maxStreamsPerRemote) return this.#dismiss(own.find((stream) => stream.isBetweenRequests));
    if (this.#streams.size < maxStreams) return true;
    return this.#dismiss([...this.#streams].find((stream) => !stream.isRunning));
  }

  /** @returns whether there was one */
  #dismiss(stream: ServedStream | undefined): boolean {
    if (stream === undefined) return false;
    this.#streams.delete(stream);
    stream.end();
    return true;
  }

  #serve(link: KeyedStream): void {
    const stream = new ServedStream(link, {
      service: this.#service,
      onUse: () => {
        if (this.#streams.delete(stream)) this.#streams.add(stream);
      },
    });
    this.#streams.add(stream);
    const served = stream.serve().finally(() => {
      this.#streams.delete(stream);
      this.#unfinished.delete(served);
    });
    this.#unfinished.add(served);
  }
}

/** One stream: answers its calls and watches over its silence. */
class ServedStream {
  readonly #link: KeyedStream;
  readonly #service: StreamService;
  readonly #onUse: () => void;
  readonly #ending = new AbortController();
  #running = 0;
  #answered = 0;
  #cancelSilence: () => void = () => {};

  constructor(link: KeyedStream, options: { readonly service: StreamService; readonly onUse: () => void }) {
    this.#link = link;
    this.#service = options.service;
    this.#onUse = options.onUse;
  }

  get remoteKey(): PublicKey {
    return this.#link.remoteKey;
  }

  /** A stream that was opened and has not been used yet is not: its first request is on the way. */
  get isBetweenRequests(): boolean {
    return this.#answered > 0 && !this.isRunning;
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** Serves until either side ends it. Does not reject. */
  async serve(): Promise<void> {
    const { maxConcurrentCalls, handlers } = this.#service;
    this.#noteUse();
    await serveRpc(this.#link, {
      handlers: handlers(this.#link).map((handler) => this.#watched(handler)),
      signal: this.#ending.signal,
      ...(maxConcurrentCalls === undefined ? {} : { maxConcurrentCalls }),
    });
    this.#cancelSilence();
  }

  end(): void {
    this.#ending.abort();
  }

  #noteUse(): void {
    this.#onUse();
    this.#cancelSilence();
    if (this.#ending.signal.aborted) return;
    this.#cancelSilence = this.#service.timers.after(SILENCE_MS, () => this.end());
  }

  #watched(handler: RpcHandler): RpcHandler {
    return {
      name: handler.name,
      receive: async (connection) => {
        const run = await handler.receive(connection);
        if (typeof run !== "function") return run;
        return async (signal) => {
          this.#running++;
          this.#noteUse();
          try {
            return await run(signal);
          } finally {
            this.#running--;
            this.#answered++;
            this.#noteUse();
          }
        };
      },
    };
  }
}
