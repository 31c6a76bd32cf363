/**
 * The kinds of transports, and what the program knows of each beside how to dial it. A driver declares the same of its
 * kind. Other visors may have kinds that are not listed here; those count as direct.
 * Tested in tests/routing/rank_prop_test.ts.
 */

/** A kind of transport, as its driver declares it. */
export interface TransportKind {
  /** The word in configuration, entries and metrics: 1–32 characters of `a`–`z`, `0`–`9` and `-`. Transport ids depend on it. */
  readonly kind: string;
  /** Do its bytes go through a messaging server? Then routes avoid it where they can. Default false. */
  readonly isRelayed?: boolean;
  /** Is a visor found by its key alone? Then `dial` needs no address. Default false. */
  readonly findsByKey?: boolean;
  /** The purpose of the visor's listener for this kind; absent when it needs no port of the machine. */
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
