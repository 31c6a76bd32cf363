/**
 * What a transport kind has to provide: links to an address, and links from it. A driver moves bytes; who is at the other
 * end, encryption, settlement, registration and figures happen above it (style.md §6). The cases that every driver must
 * pass are in `conformance.ts`.
 * Tested in tests/transport/acceptor_test.ts.
 */

import type { Records } from "../core/mod.ts";
import type { TransportKind } from "../overlay/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { PublicKey } from "../types/mod.ts";

/** How to dial. */
export interface DialOptions {
  /** Whom one expects there. Drivers that find their peers by key dial this; others ignore it. */
  readonly remoteKey: PublicKey;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** How to listen. */
export interface ListenOptions {
  /** Gives up waiting for the address; a listener that exists is closed by {@link RawListener.close}. */
  readonly signal?: AbortSignal;
}

/** A link as a driver makes it. */
export interface RawLink extends ByteLink {
  /**
   * Filled by a driver whose links bring identity and encryption with them (messaging): then neither the plaintext
   * handshake nor another Noise layer follows (transports.md §2.2). `records` belongs to the owner of the link.
   */
  readonly proven?: { readonly remoteKey: PublicKey; readonly records: Records };
}

/** Closes a link that is not wanted any more. */
export function discardRawLink(link: RawLink): void {
  link.close();
  link.proven?.records[Symbol.dispose]();
}

/** Accepts raw links. Iteration ends when it is closed. */
export interface RawListener extends AsyncIterable<RawLink> {
  /** What others dial, with a port that was really taken. */
  readonly address: string;
  /** Stops accepting; links already handed out live on. Harmless when repeated. */
  close(): void;
}

/** One kind of transport. */
export interface TransportDriver extends TransportKind {
  /** Are its links {@link RawLink.proven}? Then a peer takes a link as opened while `dial` is still under way. */
  readonly provesKeys?: boolean;
  /** Where a visor listens that is given the driver, in the driver's own form. Absent: it only dials. */
  readonly listenAddress?: string;
  /**
   * Opens a link.
   * @throws {UnavailableError} when nobody answers there; the reason of `options.signal`
   */
  dial(address: string, options: DialOptions): Promise<RawLink>;
  /**
   * Accepts links.
   * @throws {UnavailableError} when the address cannot be taken; {RefusedError} when the kind cannot listen there
   */
  listen(address: string, options?: ListenOptions): Promise<RawListener>;
}
