/** Routes as users see them. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import type { BenchResult } from "../../apps/mod.ts";
import type { PingResult, RuleSummary } from "../../routing/mod.ts";
import {
  type Figures,
  MEASURABLE,
  type Measurable,
  type RatedRoute,
  type RouteCandidate,
} from "../../services/route_finder/mod.ts";
import { type PublicKey, visorsOf } from "../../types/mod.ts";
import { transportIdSchema, wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** A route through the network, as it was found. */
export interface RouteView {
  /** How many transports it passes. */
  readonly hops: number;
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  /** The ids of its transports in order: one less than the visors. */
  readonly transports: readonly string[];
  /**
   * The cost by the metric of the query; less is better. Hops; latency: round trip, ms; throughput: seconds for one MB at the
   * slowest transport; reliability: resets an hour; or the weighted mix.
   */
  readonly cost: number;
  /** Round trip, ms. Transports that nobody measured count with the usual figures of their kind. */
  readonly latencyMs: number;
  /** The throughput of its slowest transport, MB/s (10⁶ bytes). */
  readonly throughputMBps: number;
  /** How often an hour one of its transports is lost. */
  readonly resetsPerHour: number;
  /** The figures that were not measured on every transport; absent when all were. */
  readonly assumed?: readonly Measurable[];
}

/** A route that a dial could take, and why it would or would not. */
export interface RouteCandidateView {
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  /** The ids of its transports in order: one less than the visors. */
  readonly transports: readonly string[];
  /** Its figures by every measure. */
  readonly cost: Figures;
  /** The figures that were not measured on every transport; absent when all were. */
  readonly assumed?: readonly Measurable[];
  /** Would a dial try it first? At most one route is chosen. */
  readonly chosen: boolean;
  /** Why it is chosen or not, in words. */
  readonly reason: string;
}

const assumed = v.exactOptional(v.array(v.picklist(MEASURABLE)));

/** Describes a {@link RouteView}. */
export const routeSchema: v.GenericSchema<RouteView> = viewSchema<RouteView>()(v.object({
  hops: v.number(),
  visors: v.array(wholeKey),
  transports: v.array(v.string()),
  cost: v.number(),
  latencyMs: v.number(),
  throughputMBps: v.number(),
  resetsPerHour: v.number(),
  assumed,
}));

/** Describes a {@link RouteCandidateView}. */
export const candidateSchema: v.GenericSchema<RouteCandidateView> = viewSchema<RouteCandidateView>()(v.object({
  visors: v.array(wholeKey),
  transports: v.array(v.string()),
  cost: viewSchema<Figures>()(v.object({
    hops: v.number(),
    latencyMs: v.number(),
    throughputMBps: v.number(),
    resetsPerHour: v.number(),
  })),
  assumed,
  chosen: v.boolean(),
  reason: v.string(),
}));

/** Describes a {@link RuleSummary}. */
export const ruleSchema: v.GenericSchema<RuleSummary> = viewSchema<RuleSummary>()(v.object({
  routeId: v.number() as unknown as v.GenericSchema<RuleSummary["routeId"]>,
  type: v.picklist(["intermediary", "forward", "consume"]),
  transport: v.exactOptional(transportIdSchema),
  nextRouteId: v.exactOptional(v.number() as unknown as v.GenericSchema<RuleSummary["routeId"]>),
  keepAliveMs: v.number(),
  idleMs: v.number(),
  remote: v.exactOptional(wholeKey),
  localPort: v.exactOptional(v.number()),
  remotePort: v.exactOptional(v.number()),
}));

/** Describes a {@link PingResult}. */
export const pingSchema: v.GenericSchema<PingResult> = viewSchema<PingResult>()(v.object({
  to: wholeKey,
  hops: v.number(),
  visors: v.array(wholeKey),
  setupMs: v.number(),
  rttMs: v.array(v.number()),
}));

/** Describes a {@link BenchResult}. */
export const benchSchema: v.GenericSchema<BenchResult> = viewSchema<BenchResult>()(v.object({
  to: wholeKey,
  hops: v.number(),
  visors: v.array(wholeKey),
  megabytesPerSecond: v.object({ up: v.number(), down: v.number() }),
  rttMs: v.object({ p50: v.number(), p99: v.number() }),
}));

/** A route that was found. */
export function routeViewOf({ hops, cost, figures, assumed }: RatedRoute): RouteView {
  const { hops: count, ...others } = figures;
  return { hops: count, ...wayOf(hops), cost, ...others, ...(assumed && { assumed }) };
}

/** A route that a dial could take. */
export function candidateViewOf({ hops, figures, assumed, chosen, reason }: RouteCandidate): RouteCandidateView {
  return { ...wayOf(hops), cost: figures, ...(assumed && { assumed }), chosen, reason };
}

function wayOf(hops: RatedRoute["hops"]): Pick<RouteView, "visors" | "transports"> {
  return {
    visors: visorsOf(hops),
    transports: hops.map((hop) => hop.transportId),
  };
}
