/**
 * What a switch remembers, as a map of rules, a clock and three links. `model.ts` tells what happens to it, `ends.ts` what
 * connections do.
 */

import type { GroupCloseReason, Packet, Rule, SwitchCounters } from "../../../lib/core/mod.ts";
import type { RouteId, TransportId } from "../../../lib/types/mod.ts";

/** Of the links by position; no link ever comes for the last. */
export const TRANSPORTS: readonly TransportId[] = Array.from(
  { length: 4 },
  (_, i) => `00000000-0000-0000-0000-00000000000${i}` as TransportId,
);

/** How many links there are. */
export const LINK_COUNT = 3;

/** How many ids around the first one are played with. */
export const ID_COUNT = 7;

/** How far times are apart that differ at all, ms: a power of two, so that sums of times are exact. */
export const INSTANT_MS = 0.25;

/** A stored rule. */
export interface StoredRule {
  readonly rule: Rule;
  activeAt: number;
  /** The link that its first packet came over: no other may use it. */
  cameOver?: number;
  /** The group on it, by position. */
  group?: number;
  /** What came before the group. */
  early: Packet[];
}

/** What the switch tells; groups by position. */
export type ModelEvent =
  | {
    readonly type: "group-closed";
    readonly group: number;
    readonly reason: GroupCloseReason;
    readonly message?: string;
  }
  | { readonly type: "group-handshake"; readonly group: number; readonly encrypt: boolean }
  | { readonly type: "transport-pong"; readonly link: number; readonly value: bigint };

/** What a run went through, and how often. Shared by all runs of a property. */
export type Visits = Map<string, number>;

/** A link and what went over it. */
export interface ModelLink {
  readonly up: boolean;
  /** What came that is no whole packet yet. */
  pending: Uint8Array;
  /** What has to leave since the last look. */
  readonly output: Packet[];
  /** As `Switch.linkStats` has them, since the link came. */
  readonly stats: { sentBytes: number; receivedBytes: number; sentPackets: number; receivedPackets: number };
}

/** See the top of the file. */
export class SwitchState {
  /** Milliseconds. */
  now = 0;
  /** What will be handed out next. */
  nextId: number;
  readonly rules = new Map<number, StoredRule>();
  /** By position. */
  readonly links: ModelLink[] = Array.from({ length: LINK_COUNT }, () => makeLink({ up: true }));
  /** What has to be told since the last look. */
  readonly events: ModelEvent[] = [];
  readonly counters: { -readonly [Name in keyof SwitchCounters]: number } = {
    forwarded: 0,
    delivered: 0,
    unknownType: 0,
    shortPayload: 0,
    unknownRoute: 0,
    expiredRoute: 0,
    wrongLink: 0,
    noTransport: 0,
    noGroup: 0,
  };
  readonly firstId: number;
  readonly #visits: Visits;

  /** Nothing has happened yet. */
  constructor(firstId: number, visits: Visits) {
    this.firstId = this.nextId = firstId;
    this.#visits = visits;
  }

  /** Counts that something happened. */
  visit(what: string): void {
    this.#visits.set(what, (this.#visits.get(what) ?? 0) + 1);
  }

  /** What had to be sent and told was looked at. */
  forgetTold(): void {
    for (const { output } of this.links) output.length = 0;
    this.events.length = 0;
  }

  /** The id at a position: the first is never handed out, the others follow it. */
  idAt(position: number): RouteId {
    return this.firstId - 1 + position as RouteId;
  }

  /** The last instant at which a rule is active. */
  expiryOf({ rule, activeAt }: StoredRule): number {
    return activeAt + Number(rule.keepAliveNs) / 1e6;
  }

  /** Has it been idle for longer than it may? */
  isExpired(entry: StoredRule): boolean {
    return this.now > this.expiryOf(entry);
  }

  /** Where an id stands. */
  stateOf(id: number): string {
    const entry = this.rules.get(id);
    if (entry === undefined) return id >= this.firstId && id < this.nextId ? "reserved" : "unreserved";
    return entry.group !== undefined ? "with a group" : this.isExpired(entry) ? "expired" : "active";
  }

  /** Sends over a transport, if a link of it is there. */
  send(transport: TransportId, packet: Packet): boolean {
    const link = this.links[TRANSPORTS.indexOf(transport)];
    if (link?.up !== true) return false;
    link.output.push(packet);
    // What neighbours say to each other is no traffic.
    if (packet.routeId === 0) return true;
    link.stats.sentPackets++;
    link.stats.sentBytes += packet.payload.length;
    return true;
  }
}

/** A link over which nothing went. */
export function makeLink({ up }: { readonly up: boolean }): ModelLink {
  const stats = { sentBytes: 0, receivedBytes: 0, sentPackets: 0, receivedPackets: 0 };
  return { up, pending: new Uint8Array(), output: [], stats };
}
