/** What the set-up of routes needs of messaging: streams whose other end is proven to own its key. */

import type { ByteLink } from "../../runtime/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";

/** A stream to another party. */
export interface SetupStream extends ByteLink {
  /** Who is there, proven. */
  readonly remoteKey: PublicKey;
}

/** Accepts streams; iteration ends when it is closed. */
export interface SetupListener extends AsyncIterable<SetupStream> {
  /** Stops accepting. Streams already taken live on. */
  close(): void;
}

/** A messaging client, as far as it is used here. */
export interface SetupNetwork {
  /** Opens a stream to a port of another party. */
  dial(remote: PublicKey, port: Port, options?: { readonly signal?: AbortSignal }): Promise<SetupStream>;
  /** Accepts streams to a port. */
  listen(port: Port): SetupListener;
}

/** Who may have how many streams open. */
export interface StreamLimits {
  /** In all. */
  readonly maxStreams: number;
  /** From one other party. */
  readonly maxStreamsPerRemote: number;
}

/** A loop that accepts streams. Disposing ends it: the listener and all streams are closed, and served streams waited for. */
export class StreamAcceptor implements AsyncDisposable {
  readonly #listener: SetupListener;
  readonly #closing = new AbortController();
  readonly #served = new Map<Promise<void>, PublicKey>();
  readonly #accepting: Promise<void>;

  /**
   * Begins to accept.
   * @param listener taken over
   * @param options `admit` says who may speak at all; `serve` speaks, and must end when its signal aborts. It does not
   *   reject
   */
  constructor(listener: SetupListener, options: StreamLimits & StreamService) {
    this.#listener = listener;
    this.#accepting = this.#acceptAll(options);
  }

  /** Streams being served. */
  get open(): number {
    return this.#served.size;
  }

  /** Ends it, see the class. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#closing.abort();
    await this.#accepting;
    await Promise.all(this.#served.keys());
  }

  async #acceptAll(options: StreamLimits & StreamService): Promise<void> {
    for await (const stream of this.#listener) {
      if (this.#closing.signal.aborted || !options.admit(stream.remoteKey) || this.#isFull(stream.remoteKey, options)) {
        stream.close();
        continue;
      }
      const served = options.serve(stream, this.#closing.signal).finally(() => this.#served.delete(served));
      this.#served.set(served, stream.remoteKey);
    }
  }

  #isFull(remote: PublicKey, limits: StreamLimits): boolean {
    const own = [...this.#served.values()].filter((key) => key === remote).length;
    return this.#served.size >= limits.maxStreams || own >= limits.maxStreamsPerRemote;
  }
}

/** What a {@link StreamAcceptor} does with streams. */
export interface StreamService {
  /** Says who may speak at all. */
  readonly admit: (remote: PublicKey) => boolean;
  /** Speaks until the stream ends or the signal aborts. */
  readonly serve: (stream: SetupStream, signal: AbortSignal) => Promise<void>;
}
