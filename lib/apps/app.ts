/**
 * What an app is, and what it gets: the overlay as its network. An app listens on ports of its visor and dials ports of
 * others; whether it is one of ours or somebody else's makes no difference.
 */

import type { ByteLink } from "../runtime/mod.ts";
import type { PathStep, Port, PublicKey } from "../types/mod.ts";

/** A connection over a route, encrypted end to end. The router's route connections are such. */
export interface AppConnection extends ByteLink {
  /** The visor at the other end, proven by the handshake. */
  readonly remoteKey: PublicKey;
  /** Its port. */
  readonly remotePort: Port;
  /** One chunk for each record that came (visor-and-apps.md §1.5). Use either this or `read`. */
  readonly readable: ReadableStream<Uint8Array>;
  /** A chunk of at most 4070 bytes arrives as one. Use either this or `write`. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection has ended, whatever the reason. */
  readonly closed: Promise<unknown>;
}

/** Accepts connections to one port. Iteration ends when it is closed. */
export interface AppListener extends AsyncIterable<AppConnection> {
  /** Stops accepting. Connections already taken live on. */
  close(): void;
}

/** How to dial. */
export interface AppDialOptions {
  /** The visors or transports to go over, the one to the destination last; without it, the router chooses. */
  readonly path?: readonly PathStep[];
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** The overlay, as apps use it. */
export interface AppNetwork {
  /**
   * Connects to a port of another visor.
   * @param remote whose
   * @param port 1–65535
   * @throws {UnavailableError | RefusedError} when there is no way to that port now; the signal's reason
   */
  dial(remote: PublicKey, port: Port, options?: AppDialOptions): Promise<AppConnection>;
  /**
   * Accepts connections to a port of this visor.
   * @param port 1–65535
   * @throws {RefusedError} when the port is taken
   */
  listen(port: Port): AppListener;
}

/** What a running app is told and tells. */
export interface AppContext {
  /** Aborts when the app is to end. */
  readonly signal: AbortSignal;
  /** To be called once the app does its work. */
  ready(): void;
}

/** A program on the visor. */
export interface App {
  /** How the command line calls it; unique in its launcher. */
  readonly name: string;
  /** The port it serves, or the one it dials. */
  readonly port: Port;
  /**
   * Does the app's work until the signal aborts, and gives back everything it took before it ends. Can be called again
   * after it has ended.
   * @throws whatever makes it fail; the launcher runs it again
   */
  run(context: AppContext): Promise<void>;
}
