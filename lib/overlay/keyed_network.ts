/**
 * Dial and listen by public key and port: the one face of every network of this program on which the other end proves its
 * key. The messaging client and the router implement it; set-up of routes, RPC, HTTP, transports over messaging and apps
 * use it, and none of them needs to know which of the two it speaks over.
 */

import type { ByteLink } from "../runtime/mod.ts";
import type { PathStep, Port, PublicKey } from "../types/mod.ts";

/** Bytes in both directions with a port of another party, encrypted end to end. */
export interface KeyedStream extends ByteLink {
  /** The other end; it has proven that it owns the key. */
  readonly remoteKey: PublicKey;
  /** Its port, 1–65535: where it listens, or its ephemeral one when it dialled. */
  readonly remotePort: Port;
  /** Our port, 1–65535: an ephemeral one when we dialled, else where we listen. */
  readonly localPort: Port;
}

/** Accepts streams to one port, for one consumer. The iteration ends when it or its network is closed. */
export interface KeyedListener<Stream extends KeyedStream = KeyedStream> extends AsyncIterable<Stream> {
  /** Where it listens, 1–65535. */
  readonly port: Port;
  /** Stops accepting and closes what nobody has taken. Streams already taken live on. Harmless when repeated. */
  close(): void;
}

/** How to dial. */
export interface KeyedDialOptions {
  /** The visors or transports to go over, the last one at the destination; a network without routes refuses it. */
  readonly path?: readonly PathStep[] | undefined;
  /** Gives up; a stream that comes about later is closed. */
  readonly signal?: AbortSignal | undefined;
}

/** A network of keys and ports. */
export interface KeyedNetwork<Stream extends KeyedStream = KeyedStream> {
  /** The key that this end proves to own. */
  readonly publicKey: PublicKey;
  /**
   * Connects to a port of another party.
   * @param remote whose port
   * @param port 1–65535
   * @throws {UnavailableError} there is no way to that port now
   * @throws {RefusedError} the other party said no
   * @throws {ClosedError} this network was closed; the reason of `options.signal`
   */
  dial(remote: PublicKey, port: Port, options?: KeyedDialOptions): Promise<Stream>;
  /**
   * Accepts streams to a port.
   * @param port 1–65535
   * @throws {RefusedError} the port is taken
   * @throws {ClosedError} this network was closed
   */
  listen(port: Port): KeyedListener<Stream>;
}
