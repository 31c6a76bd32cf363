/**
 * Dial and listen by public key and port: the interface of the networks on which the other end proves its key. The
 * messaging client and the router implement it. Set-up of routes, RPC, HTTP, transports over messaging and apps use it
 * without knowing which of the two carries them.
 */

import type { ByteLink } from "../runtime/mod.ts";
import type { PathStep, Port, PublicKey } from "../types/mod.ts";

/** A byte stream to a port of another visor or client, encrypted end to end. */
export interface KeyedStream extends ByteLink {
  /** The key of the other end, which has proven that it owns it. */
  readonly remoteKey: PublicKey;
  /** The port of the other end, 1–65535: where it listens, or an ephemeral port when it dialled. */
  readonly remotePort: Port;
  /** The port of this end, 1–65535: where we listen, or an ephemeral port when we dialled. */
  readonly localPort: Port;
  /** Does it wait for a way to the other end? It goes on when there is one. Absent where a stream ends with its way. */
  readonly isWaiting?: boolean;
}

/** Accepts streams to one port. Iterate over it, once; the iteration ends when it or its network is closed. */
export interface KeyedListener<Stream extends KeyedStream = KeyedStream> extends AsyncIterable<Stream> {
  /** The port where it listens, 1–65535. */
  readonly port: Port;
  /** Stops accepting and closes streams that nobody has taken. Streams already taken live on. Harmless when repeated. */
  close(): void;
}

/** How to dial. */
export interface KeyedDialOptions {
  /** The visors or transports to take, in order, up to the destination. A network without routes refuses it. */
  readonly path?: readonly PathStep[] | undefined;
  /** Aborting it ends the dial; a stream that opens later is closed. */
  readonly signal?: AbortSignal | undefined;
}

/** A network on which one dials and listens by key and port. */
export interface KeyedNetwork<Stream extends KeyedStream = KeyedStream> {
  /** The key of this end; others dial it. */
  readonly publicKey: PublicKey;
  /**
   * Connects to a port of another visor or client.
   * @param remote its key
   * @param port 1–65535
   * @throws {UnavailableError} when the port cannot be reached now
   * @throws {RefusedError} when the other end refuses
   * @throws {ClosedError} when this network is closed
   * @throws the reason of `options.signal`
   */
  dial(remote: PublicKey, port: Port, options?: KeyedDialOptions): Promise<Stream>;
  /**
   * Accepts streams to a port of this end.
   * @param port 1–65535
   * @throws {RefusedError} when the port is taken
   * @throws {ClosedError} when this network is closed
   */
  listen(port: Port): KeyedListener<Stream>;
}
