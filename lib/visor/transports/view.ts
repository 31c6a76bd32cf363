/** A visor's transports and those of the network, as users see them. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import type { MapTransport } from "../../services/transport_discovery/mod.ts";
import type { TransportSummary } from "../../transport/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** A transport of this visor. */
export interface TransportView {
  /** The id, a lower-case UUID computed from both visors and the kind (transports.md §1.3). */
  readonly id: string;
  /** The kind: `stcp`, `dmsg` …, or that of another driver. */
  readonly type: string;
  /** The visor at the other end. */
  readonly remote: PublicKey;
  /** Who opened it: `user`, or `automatic` for a dial that found no route. */
  readonly label: string;
  /** Can it carry packets at this moment? A transport that is down is dialled until it answers. */
  readonly up: boolean;
  /** Round trip, smoothed, ms; absent until it is measured. */
  readonly latencyMs?: number;
  /** Payload bytes of packets sent, over all links so far. */
  readonly sentBytes: number;
  /** Payload bytes of packets received, over all links so far. */
  readonly receivedBytes: number;
  /** Since when it is up or down, ISO 8601. */
  readonly since: string;
}

/** A transport of the network, as transport discovery lists it. */
export interface NetworkTransport {
  /** The id, as {@link TransportView.id}. */
  readonly id: string;
  /** The kind as its visors registered it; this visor may not know it. */
  readonly type: string;
  /** Both visors, the smaller key first. */
  readonly edges: readonly [PublicKey, PublicKey];
  /**
   * Does it carry packets? For its own transports the visor knows; for others, their edges told the discovery. `unknown`:
   * the edges reported nothing, or not lately.
   */
  readonly status: "working" | "not-working" | "unknown";
  /** Since when the status holds, ISO 8601; absent when it is unknown. */
  readonly since?: string;
  /** Round trip, ms; absent until an edge has measured it. */
  readonly latencyMs?: number;
  /** The highest rate seen lately in one direction, MB/s (10⁶ bytes); absent when next to nothing passed. */
  readonly throughputMBps?: number;
  /** How often its link was lost in the last hour; absent when no edge reported it. */
  readonly resetsPerHour?: number;
}

/** Describes a {@link TransportView}. */
export const transportSchema: v.GenericSchema<TransportView> = viewSchema<TransportView>()(v.object({
  id: v.string(),
  type: v.string(),
  remote: wholeKey,
  label: v.string(),
  up: v.boolean(),
  latencyMs: v.exactOptional(v.number()),
  sentBytes: v.number(),
  receivedBytes: v.number(),
  since: v.string(),
}));

/** Describes a {@link NetworkTransport}. */
export const networkTransportSchema: v.GenericSchema<NetworkTransport> = viewSchema<NetworkTransport>()(v.object({
  id: v.string(),
  type: v.string(),
  edges: v.tuple([wholeKey, wholeKey]),
  status: v.picklist(["working", "not-working", "unknown"]),
  since: v.exactOptional(v.string()),
  latencyMs: v.exactOptional(v.number()),
  throughputMBps: v.exactOptional(v.number()),
  resetsPerHour: v.exactOptional(v.number()),
}));

/** A transport of this visor. */
export function viewOf(transport: TransportSummary): TransportView {
  const { id, type, remote, label, up, latencyMs, sentBytes, receivedBytes, since } = transport;
  return {
    id,
    type,
    remote,
    label,
    up,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    sentBytes,
    receivedBytes,
    since: new Date(since).toISOString(),
  };
}

/** A transport of the network. Of our own we know more, and sooner, than discovery. */
export function networkViewOf(listed: MapTransport, own: TransportSummary | undefined): NetworkTransport {
  const { id, kind, edges, throughputMBps, resetsPerHour } = listed;
  const status = own === undefined ? listed.status ?? "unknown" : own.up ? "working" : "not-working";
  const since = own?.since ?? listed.since;
  const latencyMs = own?.latencyMs ?? listed.latencyMs;
  return {
    id,
    type: kind,
    edges,
    status,
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(throughputMBps === undefined ? {} : { throughputMBps }),
    ...(resetsPerHour === undefined ? {} : { resetsPerHour }),
  };
}
