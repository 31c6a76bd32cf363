/**
 * What a route costs, in each of the measures that routes are chosen by.
 *
 * | metric        | one transport                    | a route          | the less … |
 * |---------------|----------------------------------|------------------|------------|
 * | `hops`        | 1                                | sum              | transports on the way |
 * | `latency`     | ms, there and back               | sum              | waiting |
 * | `throughput`  | seconds for one MB               | the largest one  | time for a bulk transfer: the widest path wins |
 * | `reliability` | resets an hour                   | sum              | interruptions that the route must expect |
 * | a mix         | weighted, each in units of {@link USUAL} | sum      | of all that |
 *
 * Of routes with equal cost the one with fewer hops is better, then the one with fewer transports through messaging
 * servers. Costs are whole numbers in memory, the tie-break in their lower part, so that sums are exact and a route has one
 * cost whichever end it is added up from. Tested in tests/paths/best_routes_prop_test.ts.
 */

import { isRelayed } from "../overlay/mod.ts";
import type { MapTransport } from "../wire/map_transport.ts";
import { costAt } from "./read.ts";

/** A measure, see the top of the file. */
export type Metric = "hops" | "latency" | "throughput" | "reliability";

/** The measures by name. */
export const METRICS = ["hops", "latency", "throughput", "reliability"] as const satisfies readonly Metric[];

/** How much each measure counts in a mix, ≥ 0 and not all 0; one that is absent does not count. */
export type MetricWeights = Readonly<Partial<Record<Metric, number | undefined>>>;

/** What a transport or route is like. */
export interface Figures {
  /** Transports on the way. */
  readonly hops: number;
  /** There and back, ms. */
  readonly latencyMs: number;
  /** Of the narrowest transport, MB/s. */
  readonly throughputMBps: number;
  /** Of all transports together. */
  readonly resetsPerHour: number;
}

/** A figure that the edges of a transport measure. */
export type Measurable = "latencyMs" | "throughputMBps" | "resetsPerHour";

/** All of them. */
export const MEASURABLE = ["latencyMs", "throughputMBps", "resetsPerHour"] as const satisfies readonly Measurable[];

/** What is assumed of a direct transport as long as nobody measured it; the unit of each measure in a mix. */
export const USUAL = { latencyMs: 50, throughputMBps: 10, resetsPerHour: 1 } as const;

/** The same for one through a messaging server: two legs, and a server that many share. */
export const USUAL_RELAYED = { latencyMs: 150, throughputMBps: 2, resetsPerHour: 2 } as const;

/** What figures are taken from. */
export type MeasuredTransport = Pick<MapTransport, "kind" | Measurable>;

/** The figures of one transport, with what is assumed where nothing is known. */
export function figuresOf(transport: MeasuredTransport): Figures {
  const usual = isRelayed(transport.kind) ? USUAL_RELAYED : USUAL;
  return {
    hops: 1,
    latencyMs: transport.latencyMs ?? usual.latencyMs,
    throughputMBps: transport.throughputMBps ?? usual.throughputMBps,
    resetsPerHour: transport.resetsPerHour ?? usual.resetsPerHour,
  };
}

/** The figures of a route, from those of its transports. */
export function sumFigures(figures: readonly Figures[]): Figures {
  return {
    hops: figures.length,
    latencyMs: sum(figures.map((one) => one.latencyMs)),
    throughputMBps: figures.length === 0 ? Infinity : Math.min(...figures.map((one) => one.throughputMBps)),
    resetsPerHour: sum(figures.map((one) => one.resetsPerHour)),
  };
}

/** Which figures of a route nobody measured on every transport. */
export function assumedOf(transports: readonly MeasuredTransport[]): readonly Measurable[] {
  return MEASURABLE.filter((name) => transports.some((transport) => transport[name] === undefined));
}

/** The cost of a route as people see it, from its figures; the less the better, in the unit of the table above. */
export function costOf(
  figures: Figures,
  { metric, parts }: { metric: Metric | MetricWeights; parts: readonly Figures[] },
): number {
  if (typeof metric !== "string") return round(sum(parts.map((part) => mixOf(part, metric))));
  return metric === "throughput" ? round(1 / figures.throughputMBps) : round(amountOf(figures, metric));
}

/** Units of the cost of one transport: bounded, so that costs of any route of 64 hops are whole numbers below 2^53. */
const MAX_UNITS = 2 ** 24;

/** Whole numbers below are the tie-break of a cost: {@link TIE_HOP} for each hop and 1 for each relayed one. */
export const TIE = 2 ** 20;

/** See {@link TIE}. */
export const TIE_HOP = 2 ** 10;

/** How many units each measure has: 10 µs, 1 µs for a MB, a thousandth of a reset, a thousandth of a mix. */
const UNITS = { hops: 1, latency: 100, throughput: 1_000_000, reliability: 1_000 } as const;
const MIX_UNITS = 1_000;

/** What each measure makes of {@link USUAL}. */
const USUAL_AMOUNTS: Readonly<Record<Metric, number>> = {
  hops: 1,
  latency: USUAL.latencyMs,
  throughput: 1 / USUAL.throughputMBps,
  reliability: USUAL.resetsPerHour,
};

/** The cost of one transport as the search adds it up, see the top of the file. */
export function packedCost(transport: MapTransport, metric: Metric): number {
  const units = Math.min(MAX_UNITS, Math.round(amountOf(figuresOf(transport), metric) * UNITS[metric]));
  return units * TIE + TIE_HOP + Number(isRelayed(transport.kind));
}

/** The costs of transports by a mix, from their costs by each measure. Infinity stays so. */
export function mixCosts(weights: MetricWeights, costs: (metric: Metric) => Float64Array): Float64Array {
  const factors = METRICS.map((metric) => (weights[metric] ?? 0) * MIX_UNITS / (USUAL_AMOUNTS[metric] * UNITS[metric]));
  const mixed = costs("hops").slice();
  const [hops = 0, latency = 0, throughput = 0, reliability = 0] = factors;
  const [latencies, throughputs, reliabilities] = [costs("latency"), costs("throughput"), costs("reliability")];
  // A plain loop with plain numbers: this runs for every question, over every transport.
  for (let i = 0; i < mixed.length; i++) {
    const byHops = costAt(mixed, i);
    if (byHops === Infinity) continue;
    const units = hops + latency * Math.floor(costAt(latencies, i) / TIE) +
      throughput * Math.floor(costAt(throughputs, i) / TIE) +
      reliability * Math.floor(costAt(reliabilities, i) / TIE);
    mixed[i] = Math.min(MAX_UNITS, Math.round(units)) * TIE + byHops - TIE;
  }
  return mixed;
}

/** How costs of the transports of a route join to the cost of the route. */
export type Joining = "sum" | "widest";

/** See {@link Joining}. */
export function joiningOf(metric: Metric | MetricWeights): Joining {
  return metric === "throughput" ? "widest" : "sum";
}

/** Joins the costs of two parts of a route. */
export function joinCosts(a: number, { b, joining }: { readonly b: number; readonly joining: Joining }): number {
  if (joining === "sum" || a === Infinity || b === Infinity) return a + b;
  const tieA = a % TIE, tieB = b % TIE;
  return Math.max(a - tieA, b - tieB) + tieA + tieB;
}

function amountOf(figures: Figures, metric: Metric): number {
  switch (metric) {
    case "hops":
      return figures.hops;
    case "latency":
      return figures.latencyMs;
    case "throughput":
      return 1 / figures.throughputMBps;
    case "reliability":
      return figures.resetsPerHour;
  }
}

function mixOf(figures: Figures, weights: MetricWeights): number {
  return sum(METRICS.map((metric) => (weights[metric] ?? 0) * amountOf(figures, metric) / USUAL_AMOUNTS[metric]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Without the noise of binary fractions. */
function round(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
