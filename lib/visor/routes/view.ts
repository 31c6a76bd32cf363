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

/** A path through the network. */
export interface RouteView {
  /** How many transports it takes. */
  readonly hops: number;
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  /** Ids of the transports in the order taken: one less than the visors. */
  readonly transports: readonly string[];
  /**
   * In the metric asked for, the less the better: hops, ms there and back, seconds for one MB at the narrowest transport,
   * resets an hour, or the weighted mix.
   */
  readonly cost: number;
  /** There and back, ms; transports that nobody measured count as usual ones of their kind. */
  readonly latencyMs: number;
  /** Of the narrowest transport. */
  readonly throughputMBps: number;
  /** Of all transports together. */
  readonly resetsPerHour: number;
  /** Which of these nobody measured on every transport; absent when all were. */
  readonly assumed?: readonly Measurable[];
}

/** A route that could be taken, and what decided for or against it. */
export interface RouteCandidateView {
  /** From source to destination, both included. */
  readonly visors: readonly PublicKey[];
  /** Ids, one less than visors. */
  readonly transports: readonly string[];
  /** By every measure. */
  readonly cost: Figures;
  /** Which of these nobody measured on every transport; absent when all were. */
  readonly assumed?: readonly Measurable[];
  /** Is it the one that a dial would try first? At most one is. */
  readonly chosen: boolean;
  /** Why it is chosen, or why not. */
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
