/** A connection that outlives its routes: a session as its user sees it. Tested in tests/sim/session_test.ts. */

import { ClosedError, UnavailableError } from "../../errors/mod.ts";
import { sleep, type Timers } from "../../runtime/mod.ts";
import { type Path, type Port, type PublicKey, shortKey } from "../../types/mod.ts";
import { connectionStreams } from "../connection_streams.ts";
import { errorOfEnd, type GroupEnd } from "../group.ts";
import type { ConnectionLeg, ConnectionMove, RouteConnection, RouteConnectionStats } from "../route_connection.ts";
import type { Session } from "./session.ts";

/** Every hop can read the error of a route; this one goes sealed, but the reason of an abort may name addresses. */
const ABORTED_TEXT = "the writer gave up";

/** Who disposes of a connection waits so long for the other end, ms; what was written is still sent after that. */
const GOODBYE_MS = 2_000;

/** What a connection is made of. */
export interface SessionConnectionParts {
  /** The port at the other end. */
  readonly remotePort: Port;
  /** The port here: of the first leg. */
  readonly localPort: Port;
  /** Only when we dialled. */
  readonly setupMs?: number;
  /** For the goodbye. */
  readonly timers: Timers;
}

/** See the top of the file. */
export class SessionConnection implements RouteConnection {
  readonly remoteKey: PublicKey;
  readonly remotePort: Port;
  readonly localPort: Port;
  declare readonly setupMs?: number;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly closed: Promise<GroupEnd>;
  readonly #session: Session;
  readonly #timers: Timers;
  readonly #movers = new Set<(move: ConnectionMove) => void>();
  #closedHere = false;
  #finishedHere = false;
  #released = false;
  /** What every read gives once nothing is left: null, or an error. */
  #atEndWith: null | Error | undefined;

  /** Takes over a session whose first leg is there. */
  constructor(session: Session, parts: SessionConnectionParts) {
    this.#session = session;
    this.#timers = parts.timers;
    this.remoteKey = session.remoteKey;
    this.remotePort = parts.remotePort;
    this.localPort = parts.localPort;
    if (parts.setupMs !== undefined) this.setupMs = parts.setupMs;
    ({ readable: this.readable, writable: this.writable } = connectionStreams(this, () => this.#readMessage()));
    this.closed = this.#ended();
  }

  /** The remote visor and port, as logs show them. */
  get remoteAddress(): string {
    return `${shortKey(this.remoteKey)}:${this.remotePort}`;
  }

  get route(): Path {
    return this.#session.route;
  }

  get isWaiting(): boolean {
    return this.#session.end === undefined && this.#session.carrier === undefined;
  }

  get legs(): readonly ConnectionLeg[] {
    return this.#session.legs.map((leg) => ({
      route: leg.route,
      state: !leg.isLive ? "silent" : this.#session.isUsed(leg) ? "in-use" : "standby",
      latencyMs: leg.group.stats()?.latencyMs,
    }));
  }

  /** Is nobody going to ask the session for anything any more? */
  get isReleased(): boolean {
    return this.#released;
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#closedHere) return null;
      const length = this.#session.read(into);
      if (length > 0) return length;
      if (this.#atEnd()) return null;
      await this.#session.moved();
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      this.#checkWritable();
      rest = rest.subarray(this.#session.write(rest));
      if (rest.length === 0) return;
      this.#checkWritable();
      await this.#session.moved();
    }
  }

  closeWrite(): void {
    if (this.#finishedHere || this.#closedHere) return;
    this.#finishedHere = true;
    this.#session.finish(false);
  }

  async ping(signal?: AbortSignal): Promise<number> {
    for (;;) {
      this.#checkOpen();
      const group = this.#session.carrier?.group;
      if (group === undefined) {
        await this.#session.changed(signal);
        continue;
      }
      let rttMs: number | undefined;
      const forget = group.ping((ms) => rttMs = ms);
      try {
        while (rttMs === undefined && group.end === undefined) {
          this.#checkOpen();
          await group.changed(signal);
        }
        if (rttMs !== undefined) return rttMs;
      } finally {
        forget();
      }
    }
  }

  stats(): RouteConnectionStats {
    return this.#session.stats();
  }

  onMoved(listener: (move: ConnectionMove) => void): () => void {
    this.#movers.add(listener);
    return () => void this.#movers.delete(listener);
  }

  /** Tells that it goes over another route now. */
  moved(move: ConnectionMove): void {
    for (const listener of this.#movers) listener(move);
  }

  /** What was written is still sent, over another route if need be. Pending reads give null. */
  close(error?: string): void {
    if (this.#closedHere) return;
    this.#closedHere = true;
    if (this.#session.end !== undefined) return this.#release();
    if (error !== undefined && error !== "") this.#session.reset(error, { reason: "local" });
    else this.#session.finish(true);
  }

  reset(): void {
    this.close(ABORTED_TEXT);
  }

  /** Closes, and waits until the peer knows, 2 s at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    const over = new AbortController();
    await Promise.race([this.closed, sleep(this.#timers, GOODBYE_MS, over.signal).catch(() => {})]);
    over.abort();
  }

  async #ended(): Promise<GroupEnd> {
    while (this.#session.end === undefined) await this.#session.changed();
    if (this.#closedHere) this.#release();
    return this.#closedHere ? { reason: "local" } : this.#session.end;
  }

  /** Is nothing left to read? Throws when the end was a break. */
  #atEnd(): boolean {
    if (this.#closedHere) return true;
    const { end } = this.#session;
    if (this.#atEndWith === undefined && this.#session.state.readOut) this.#atEndWith = null;
    if (this.#atEndWith === undefined && end !== undefined) {
      this.#atEndWith = errorOfEnd(end) ?? new UnavailableError("route/broken", "Read: the connection ended too early");
    }
    if (this.#atEndWith === undefined) return false;
    if (end !== undefined) this.#release();
    if (this.#atEndWith !== null) throw this.#atEndWith;
    return true;
  }

  #release(): void {
    this.#released = true;
    this.#session.notify();
  }

  #checkOpen(): void {
    if (this.#closedHere) throw new ClosedError("route/closed", "Use the connection: it was closed here");
    const { end } = this.#session;
    if (end === undefined) return;
    throw errorOfEnd(end) ?? new UnavailableError("route/broken", "Use the connection: the remote visor closed it");
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#finishedHere) {
      throw new ClosedError("route/closed", "Write to the connection: this direction was closed here");
    }
    if (this.#session.state.stopped) {
      throw new UnavailableError("route/broken", "Write to the connection: the remote visor closed it");
    }
  }

  async #readMessage(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#closedHere ? undefined : this.#session.readMessage();
      if (message !== undefined || this.#atEnd()) return message;
      await this.#session.moved();
    }
  }
}
