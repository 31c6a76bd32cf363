/**
 * The kinds of transports: what one has to know of each besides how to dial it. A driver declares the same of its kind;
 * of kinds that are not listed here, which other visors may have, nothing is assumed: they count as direct ones.
 * Tested in tests/routing/rank_prop_test.ts.
 */

/** A kind of transport, as its driver declares it. */
export interface TransportKind {
  /** The word in configuration, entries and metrics; part of the transport id. 1–32 small letters of ASCII, digits, `-`. */
  readonly kind: string;
  /** Do its bytes go through a messaging server? Then it is slow, and a last resort. Default: no. */
  readonly isRelayed?: boolean;
  /** Is a visor found by its key alone? Then nobody has to know an address. Default: no. */
  readonly findsByKey?: boolean;
  /** The purpose of the visor's listener that the kind needs; absent: it needs no port of the machine. */
  readonly listener?: string;
}

/** TCP to an address that the user knows (transports.md §2.2). */
export const STCP = { kind: "stcp", listener: "transport-stcp" } as const satisfies TransportKind;

/** TCP to an address that the address resolver knows. */
export const STCPR = { kind: "stcpr", findsByKey: true, listener: "transport-stcpr" } as const satisfies TransportKind;

/** Streams through messaging servers, the only relayed kind. */
export const MESSAGING = { kind: "dmsg", isRelayed: true, findsByKey: true } as const satisfies TransportKind;

/** WebSockets, a kind of ours. */
export const WS = { kind: "ws", listener: "transport-ws" } as const satisfies TransportKind;

/** Does a kind go through a messaging server? */
export function isRelayed(kind: string): boolean {
  return kind === MESSAGING.kind;
}
