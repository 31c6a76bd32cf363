/**
 * A session: one link between a client and a server after its handshake, with a mux on it, and the keys that protect the
 * first objects of each stream (dmsg.md §3, §4.2). Both ends are this class.
 *
 * ```
 * object on a stream:  u16be length ‖ sealed( signature (65) ‖ gob )        keys of the session, any order
 * ```
 *
 * Tested in tests/messaging/server_test.ts.
 */

import type { Records } from "../core/mod.ts";
import { ClosedError, hasCode, ProtocolError } from "../errors/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { MuxSession, MuxStream } from "../links/mux_session.ts";
import type { MonotonicMs, PublicKey } from "../types/mod.ts";
import { MAX_FRAME_BYTES, readFrame } from "./frames.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly mux: MuxSession;
  readonly records: Records;
  /** The other end, who proved to own the key. */
  readonly remoteKey: PublicKey;
  /** `host:port` */
  readonly remoteAddress: string;
  readonly since: MonotonicMs;
}

/** A session; it owns its parts. */
export class Session implements Disposable {
  readonly remoteKey: PublicKey;
  readonly remoteAddress: string;
  readonly since: MonotonicMs;
  /** Resolves when the session has ended, whatever the reason. */
  readonly closed: Promise<void>;
  readonly #mux: MuxSession;
  readonly #records: Records;
  #isClosed = false;

  constructor(parts: SessionParts) {
    this.remoteKey = parts.remoteKey;
    this.remoteAddress = parts.remoteAddress;
    this.since = parts.since;
    this.#mux = parts.mux;
    this.#records = parts.records;
    this.closed = parts.mux.closed.finally(() => this[Symbol.dispose]());
  }

  /** Has it ended? */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Streams that the other end opens, until the session ends. */
  get incoming(): AsyncIterable<MuxStream> {
    return this.#mux.incoming;
  }

  /** Opens a stream. @throws {UnavailableError | ClosedError} when the session has ended */
  open(): Promise<MuxStream> {
    return this.#mux.open();
  }

  /** Asks for a sign of life. @returns the round trip, ms. @throws {UnavailableError} when there is none in time */
  ping(): Promise<number> {
    return this.#mux.ping();
  }

  /** Asks for a sign of life, and ends the session when there is none in time. */
  probe(): void {
    this.#mux.ping().catch((error) => {
      if (hasCode(error, "mux/no-pong")) this[Symbol.dispose]();
    });
  }

  /**
   * Sends an object as the next on a stream.
   * @param stream of this session
   * @param object at most 65,511 bytes
   */
  async writeObject(stream: ByteLink, object: Uint8Array): Promise<void> {
    this.#checkOpen();
    await stream.write(this.#records.sealObject(object));
  }

  /**
   * Reads the next object of a stream.
   * @param stream of this session
   * @returns undefined when the stream ended instead, {@linkcode PING_MARKER} for a length of 0
   * @throws {ProtocolError} when it was not sealed by the other end, or was seen before
   */
  async readObject(stream: ByteLink): Promise<Uint8Array | typeof PING_MARKER | undefined> {
    const sealed = await readFrame(stream, MAX_FRAME_BYTES);
    if (sealed === undefined) return undefined;
    if (sealed.length === 0) return PING_MARKER;
    this.#checkOpen();
    return this.#records.openObject(sealed);
  }

  /** As {@link Session.readObject}, where only an object will do. @throws {ProtocolError} `messaging/no-object` too */
  async expectObject(stream: ByteLink): Promise<Uint8Array> {
    const object = await this.readObject(stream);
    if (object instanceof Uint8Array) return object;
    throw new ProtocolError("messaging/no-object", "Read an object: the stream ended or held something else");
  }

  /** Ends the session and its streams. Harmless when repeated. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#mux.close();
    this.#records[Symbol.dispose]();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError("messaging/session-closed", "Use a session: it has ended");
  }
}

/** What {@link Session.readObject} gives for the two zero bytes by which later versions ask «are you there» (dmsg.md B.4). */
export const PING_MARKER: unique symbol = Symbol("ping");
