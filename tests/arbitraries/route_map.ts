/** Random maps of seven visors, and random queries for routes over them. */

import fc from "fast-check";
import type { Metric, MetricWeights } from "../../lib/paths/figures.ts";
import type { RouteQuery } from "../../lib/paths/query.ts";
import type { MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import { at } from "../../lib/types/at.ts";
import { makeTransportEntry } from "../../lib/wire/transport_entry.ts";
import { makeVisor } from "../services/transport_discovery/support.ts";

/** Their keys. */
export const VISORS = [1, 2, 3, 4, 5, 6, 7].map((number) => makeVisor(number).publicKey);

const TYPES = ["stcp", "stcpr", "dmsg"] as const;

/** A transport. Its figures divide without a rest, so that a mix is exact; some are not known. */
export const transport: fc.Arbitrary<MapTransport> = fc.record({
  ends: fc.tuple(fc.nat(6), fc.nat(6)).filter(([a, b]) => a !== b),
  kind: fc.constantFrom(...TYPES),
  figures: fc.record({
    latencyMs: fc.integer({ min: 0, max: 4 }).map((n) => 50 * n),
    throughputMBps: fc.constantFrom(0.5, 1, 2, 5, 10),
    resetsPerHour: fc.nat(3),
    status: fc.constantFrom("working" as const, "working" as const, "unknown" as const, "not-working" as const),
  }, { requiredKeys: [] }),
}).map(({ ends: [a, b], kind, figures }) => ({
  ...makeTransportEntry(at(VISORS, a), at(VISORS, b), { kind, label: "" }),
  ...figures,
}));

/** A measure or a mix. */
export const metric: fc.Arbitrary<Metric | MetricWeights> = fc.oneof(
  fc.constantFrom("hops" as const, "latency" as const, "throughput" as const, "reliability" as const),
  fc.record({ hops: fc.nat(3), latency: fc.nat(3), throughput: fc.nat(2), reliability: fc.nat(3) })
    .filter((weights) => Object.values(weights).some((weight) => weight > 0)),
);

/** A query that does not contradict itself. */
export const question: fc.Arbitrary<RouteQuery> = fc.record({
  order: fc.shuffledSubarray(VISORS, { minLength: 7 }),
  metric,
  count: fc.integer({ min: 1, max: 5 }),
  disjoint: fc.constantFrom("none" as const, "links" as const, "visors" as const),
  hops: fc.oneof(fc.constant([1, 6]), fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 4 }))),
  avoid: fc.constantFrom(0, 0, 0, 1),
  via: fc.constantFrom(0, 0, 0, 1, 2),
  avoidTypes: fc.constantFrom([], [], ["dmsg"], ["stcp", "dmsg"]),
}).map(({ order, metric, count, disjoint, hops: [least = 1, more = 0], avoid, via, avoidTypes }) => ({
  source: at(order, 0),
  destination: at(order, 1),
  metric,
  count,
  disjoint,
  minHops: least,
  maxHops: least + more,
  avoid: order.slice(2, 2 + avoid),
  via: order.slice(4, 4 + via),
  avoidTypes,
}));
