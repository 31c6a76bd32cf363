/**
 * A connection over a route: bytes in both directions, encrypted end to end. It keeps the write boundaries that app
 * protocols of v1.3 rely on (visor-and-apps.md §1.5): a write of at most 4070 bytes arrives as one record, and the
 * `readable` face gives one chunk for each record.
 */

import { ClosedError, UnavailableError } from "../errors/mod.ts";
import type { KeyedStream } from "../overlay/mod.ts";
import { type Hop, type Port, type PublicKey, shortKey } from "../types/mod.ts";
import { errorOfEnd, type GroupEnd, type RouteGroup } from "./group.ts";

/** Every hop can read it: the reason of an abort may name addresses, and stays here. */
const ABORTED_TEXT = "the writer gave up";

/** A connection to a port of another visor. */
export interface RouteConnection extends KeyedStream, AsyncDisposable {
  /** The path of what we send, from here to the remote visor. Empty when the peer dialled: it alone knows the path. */
  readonly route: readonly Hop[];
  /** How long finding the route, its set-up and the handshake took, ms. Only when we dialled. */
  readonly setupMs?: number;
  /**
   * One chunk for each record that came. It ends when the peer closes and fails when the route breaks.
   * Use either this or {@link KeyedStream.read}, not both at the same time.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * Takes chunks of any size; closing it closes the connection, aborting it breaks the connection at the other end, which
   * is not told the reason. Use either this or {@link KeyedStream.write} at a time.
   */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * Measures the round trip over the whole route, there and back.
   * @returns ms
   * @throws {UnavailableError} `route/broken`; {ClosedError} `route/closed`; the signal's reason
   */
  ping(signal?: AbortSignal): Promise<number>;
  /** Payload bytes so far, and the round-trip time of the latest ping, ms. The switch pings by itself every 3 s. */
  stats(): RouteConnectionStats;
  /** Resolves when the connection has ended, whatever the reason. */
  readonly closed: Promise<GroupEnd>;
}

/** Figures of one connection. */
export interface RouteConnectionStats {
  /** What we sent, records included. */
  readonly sentBytes: number;
  /** What came, records included. */
  readonly receivedBytes: number;
  /** There and back, ms; undefined before the first answer. */
  readonly latencyMs: number | undefined;
}

/** What a connection is made of. */
export interface RouteConnectionParts {
  /** See {@link RouteConnection}, as all up to the last. */
  readonly remoteKey: PublicKey;
  /** The port at the other end. */
  readonly remotePort: Port;
  /** The port here. */
  readonly localPort: Port;
  /** Empty when the peer dialled. */
  readonly route: readonly Hop[];
  /** Only when we dialled. */
  readonly setupMs?: number;
  /** Called once, when the connection has ended and nothing of it is left in the switch. */
  readonly onGone: () => void;
}

/** The one implementation of {@link RouteConnection}. */
export class GroupConnection implements RouteConnection {
  readonly remoteKey: PublicKey;
  readonly remotePort: Port;
  readonly localPort: Port;
  readonly route: readonly Hop[];
  declare readonly setupMs?: number;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly closed: Promise<GroupEnd>;
  readonly #group: RouteGroup;
  readonly #onGone: () => void;
  #closedHere = false;
  #finalStats: RouteConnectionStats = { sentBytes: 0, receivedBytes: 0, latencyMs: undefined };

  /** Takes over a group whose handshake is done. */
  constructor(group: RouteGroup, parts: RouteConnectionParts) {
    this.#group = group;
    this.#onGone = parts.onGone;
    this.remoteKey = parts.remoteKey;
    this.remotePort = parts.remotePort;
    this.localPort = parts.localPort;
    this.route = parts.route;
    if (parts.setupMs !== undefined) this.setupMs = parts.setupMs;
    // A high-water mark of 0: nothing is taken from the inbox before somebody wants it, so back-pressure reaches the link.
    this.readable = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream({
      write: (chunk) => this.write(chunk),
      close: () => this.close(),
      abort: () => this.close(ABORTED_TEXT),
    });
    this.closed = this.#ended();
  }

  /** The remote visor and port, as logs show them. */
  get remoteAddress(): string {
    return `${shortKey(this.remoteKey)}:${this.remotePort}`;
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#closedHere) return null;
      const length = this.#group.read(into);
      if (length > 0) return length;
      if (this.#atEnd()) return null;
      await this.#group.changed();
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      this.#checkOpen();
      rest = rest.subarray(this.#group.write(rest));
      if (rest.length > 0 && this.#group.end === undefined) await this.#group.changed();
    }
  }

  async ping(signal?: AbortSignal): Promise<number> {
    let rttMs: number | undefined;
    const forget = this.#group.ping((ms) => rttMs = ms);
    try {
      while (rttMs === undefined) {
        this.#checkOpen();
        await this.#group.changed(signal);
      }
      return rttMs;
    } finally {
      forget();
    }
  }

  stats(): RouteConnectionStats {
    return this.#group.stats() ?? this.#finalStats;
  }

  /**
   * Closes both directions: what was written is still sent, then Close. Pending reads give null.
   * @param error sent to the peer first, as the text of an Error packet
   */
  close(error?: string): void {
    if (this.#closedHere) return;
    this.#closedHere = true;
    if (this.#group.end === undefined) this.#group.close(error);
    else this.#remove();
  }

  /** Closes, and waits until the peer knows, 2 s at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  /** Waits for the end, and gives the group back once nothing is left to read in it. */
  async #ended(): Promise<GroupEnd> {
    await this.#group.ended();
    if (this.#closedHere) this.#remove();
    return this.#group.end ?? { reason: "local" };
  }

  /** Is nothing left to read? Throws when the end was a break. */
  #atEnd(): boolean {
    if (this.#closedHere) return true;
    const { end } = this.#group;
    if (end === undefined) return false;
    this.#remove();
    const error = errorOfEnd(end);
    if (error !== undefined) throw error;
    return true;
  }

  #remove(): void {
    if (this.#group.removed) return;
    this.#finalStats = this.stats();
    this.#group.remove();
    this.#onGone();
  }

  #checkOpen(): void {
    if (this.#closedHere) throw new ClosedError("route/closed", "Write to the connection: it was closed here");
    const { end } = this.#group;
    if (end === undefined) return;
    throw errorOfEnd(end) ??
      new UnavailableError("route/broken", "Write to the connection: the remote visor closed it");
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      const message = this.#closedHere ? undefined : this.#group.readMessage();
      if (message !== undefined) return controller.enqueue(message);
      if (this.#atEnd()) return controller.close();
      await this.#group.changed();
    }
  }
}
