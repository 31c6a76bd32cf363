/**
 * What a kind of transport has to provide: links to an address, and links from one. A driver only moves bytes. Identity,
 * encryption, settlement, registration and figures happen above it (style.md §6). The cases that every driver must pass
 * are in `conformance.ts`.
 * Tested in tests/transport/acceptor_test.ts.
 */

import type { Records } from "../core/mod.ts";
import type { TransportKind } from "../overlay/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { PublicKey } from "../types/mod.ts";

/** How a driver dials. */
export interface DialOptions {
  /** The key of the visor that should answer. Drivers that find visors by key dial it; others ignore it. */
  readonly remoteKey: PublicKey;
  /** Aborting it ends the dial. */
  readonly signal?: AbortSignal;
}

/** How a driver listens. */
export interface ListenOptions {
  /** Aborting it ends the wait for the address. A listener that exists is closed by {@link RawListener.close}. */
  readonly signal?: AbortSignal;
}

/** A link as a driver makes it: bytes, and in some kinds the identity of the other end. */
export interface RawLink extends ByteLink {
  /**
   * Set by a driver whose links bring identity and encryption with them, as messaging. Neither the plaintext handshake nor
   * another Noise layer follows then (transports.md §2.2). The owner of the link owns `records`.
   */
  readonly proven?: { readonly remoteKey: PublicKey; readonly records: Records };
}

/** Closes a link that is not wanted any more. */
export function discardRawLink(link: RawLink): void {
  link.close();
  link.proven?.records[Symbol.dispose]();
}

/** Accepts raw links. Iterate over it, once; the iteration ends when the listener is closed. */
export interface RawListener extends AsyncIterable<RawLink> {
  /** The address that others dial, with the port that was really taken. */
  readonly address: string;
  /** Stops accepting. Links already handed out live on. Harmless when repeated. */
  close(): void;
}

/** The code for one kind of transport. Check your own with {@link driverConformanceCases}. */
export interface TransportDriver extends TransportKind {
  /** Do its links have {@link RawLink.proven}? Then the other end may use a link while `dial` is still under way. */
  readonly provesKeys?: boolean;
  /** Where a visor with this driver listens, in the driver's own form. Absent: the visor only dials. */
  readonly listenAddress?: string;
  /**
   * Opens a link.
   * @param address in the driver's own form
   * @param options who should answer, and a signal
   * @throws {UnavailableError} when nobody answers there
   * @throws the reason of `options.signal`
   */
  dial(address: string, options: DialOptions): Promise<RawLink>;
  /**
   * Accepts links.
   * @param address in the driver's own form
   * @throws {UnavailableError} when the address cannot be taken
   * @throws {RefusedError} when the kind cannot listen there
   * @throws the reason of `options.signal`
   */
  listen(address: string, options?: ListenOptions): Promise<RawListener>;
}
