/**
 * A connection on one route group: with a visor of v1.3, or one that takes no session. It lives as long as its route, and
 * ends in both directions at once. Tested in tests/routing/route_connection_test.ts.
 */

import { ClosedError, UnavailableError } from "../errors/mod.ts";
import type { Timers } from "../runtime/mod.ts";
import { type Hop, type Port, type PublicKey, shortKey } from "../types/mod.ts";
import { connectionStreams } from "./connection_streams.ts";
import { errorOfEnd, type GroupEnd, type RouteGroup } from "./group.ts";
import type { ConnectionLeg, RouteConnection, RouteConnectionStats } from "./route_connection.ts";

/** Every hop can read it: the reason of an abort may name addresses, and stays here. */
const ABORTED_TEXT = "the writer gave up";

/** After the direction from here has ended, the connection is closed once nothing has come for so long, ms. */
const LINGER_MS = 30_000;

/** What a connection is made of. */
export interface RouteConnectionParts {
  /** See {@link RouteConnection}, as all up to the last two. */
  readonly remoteKey: PublicKey;
  /** The port at the other end. */
  readonly remotePort: Port;
  /** The port here. */
  readonly localPort: Port;
  /** Empty when the peer dialled. */
  readonly route: readonly Hop[];
  /** Only when we dialled. */
  readonly setupMs?: number;
  /** For the time after a half-close. */
  readonly timers: Timers;
  /** Called once, when the connection has ended and nothing of it is left in the switch. */
  readonly onGone: () => void;
}

/** See the top of the file. */
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
  readonly #timers: Timers;
  readonly #onGone: () => void;
  #closedHere = false;
  #cancelLinger: (() => void) | undefined;
  #finalStats: RouteConnectionStats = { sentBytes: 0, receivedBytes: 0, latencyMs: undefined };

  /** Takes over a group whose handshake is done. */
  constructor(group: RouteGroup, parts: RouteConnectionParts) {
    this.#group = group;
    this.#timers = parts.timers;
    this.#onGone = parts.onGone;
    this.remoteKey = parts.remoteKey;
    this.remotePort = parts.remotePort;
    this.localPort = parts.localPort;
    this.route = parts.route;
    if (parts.setupMs !== undefined) this.setupMs = parts.setupMs;
    ({ readable: this.readable, writable: this.writable } = connectionStreams(this, () => this.#readMessage()));
    this.closed = this.#ended();
  }

  /** The remote visor and port, as logs show them. */
  get remoteAddress(): string {
    return `${shortKey(this.remoteKey)}:${this.remotePort}`;
  }

  get legs(): readonly ConnectionLeg[] {
    if (this.#closedHere || this.#group.end !== undefined) return [];
    return [{ route: this.route, state: "in-use", latencyMs: this.stats().latencyMs }];
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
    if (this.#cancelLinger !== undefined) {
      throw new ClosedError("route/closed", "Write to the connection: this direction was closed here");
    }
    for (let rest = bytes; rest.length > 0;) {
      this.#checkOpen();
      rest = rest.subarray(this.#group.write(rest));
      if (rest.length > 0 && this.#group.end === undefined) await this.#group.changed();
    }
  }

  closeWrite(): void {
    if (this.#closedHere || this.#cancelLinger !== undefined) return;
    let received = -1;
    const look = (): void => {
      const now = this.stats().receivedBytes;
      if (now === received) return this.close();
      received = now;
      this.#cancelLinger = this.#timers.after(LINGER_MS, look);
    };
    look();
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

  onMoved(): () => void {
    return () => {};
  }

  /** What was written is still sent, then Close. Pending reads give null. */
  close(error?: string): void {
    if (this.#closedHere) return;
    this.#closedHere = true;
    this.#cancelLinger?.();
    if (this.#group.end === undefined) this.#group.close(error);
    else this.#remove();
  }

  reset(): void {
    this.close(ABORTED_TEXT);
  }

  /** Closes, and waits until the peer knows, 2 s at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  /** Waits for the end, and gives the group back once nothing is left to read in it. */
  async #ended(): Promise<GroupEnd> {
    await this.#group.ended();
    this.#cancelLinger?.();
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

  async #readMessage(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#closedHere ? undefined : this.#group.readMessage();
      if (message !== undefined || this.#atEnd()) return message;
      await this.#group.changed();
    }
  }
}
