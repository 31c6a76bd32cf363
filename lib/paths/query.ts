/** Queries for routes by any measure: what can be asked, and what is refused; and from keys to numbers. */

import { ProtocolError, RefusedError } from "../errors/mod.ts";
import { type Path, type PathStep, type PublicKey, shortKey } from "../types/mod.ts";
import {
  type Figures,
  joiningOf,
  type Measurable,
  type Metric,
  METRICS,
  type MetricWeights,
  mixCosts,
} from "./figures.ts";
import type { TransportGraph } from "./graph.ts";
import { MAX_SEARCH_HOPS, type Search, type SearchBudget } from "./search.ts";

/** Routes that one query gets at most. */
export const MAX_COUNT = 32;

/** Visors that a route can be made to pass at most; each makes the search longer by itself. */
export const MAX_VIA = 8;

/** Visors and types that can be avoided at most. */
export const MAX_AVOID = 256;

/** What routes must not share: nothing is forbidden, no transport is shared, or no visor but their ends. */
export type Disjoint = "none" | "links" | "visors";

/** All of them. */
export const DISJOINT = ["none", "links", "visors"] as const satisfies readonly Disjoint[];

/** What a route must satisfy, whatever its ends. */
export interface RouteConstraints {
  /** By which measure routes are better; default `hops`. */
  readonly metric?: Metric | MetricWeights | undefined;
  /** Not shorter, 1–{@link MAX_SEARCH_HOPS}; default 1. */
  readonly minHops?: number | undefined;
  /**
   * Not longer, 1–{@link MAX_SEARCH_HOPS}; default 5 for a dial, {@link DEFAULT_QUERY_HOPS} for a query, or `minHops` when
   * that is more.
   */
  readonly maxHops?: number | undefined;
  /** Visors that must not be passed. */
  readonly avoid?: readonly PublicKey[] | undefined;
  /** Types of transports that must not be used, such as `dmsg`. */
  readonly avoidTypes?: readonly string[] | undefined;
  /** Visors that must be passed, in this order; others may lie between. */
  readonly via?: readonly PublicKey[] | undefined;
  /**
   * Of a dial only: exactly these visors or transports, after the source, the one to the destination last. All other
   * constraints are ignored then.
   */
  readonly path?: readonly PathStep[] | undefined;
}

/** A query for routes between two visors. */
export interface RouteQuery extends Omit<RouteConstraints, "path"> {
  /** Where routes begin. */
  readonly source: PublicKey;
  /** Where they end. */
  readonly destination: PublicKey;
  /** How many at most, 1–{@link MAX_COUNT}; default 3. */
  readonly count?: number | undefined;
  /**
   * What they must not share; default `none`: then routes differ by their visors, each hop over the best transport.
   * Otherwise they are as many as there are up to the count, and together the best: a route for itself may be better than any of them.
   * Under limits of hops or with visors to pass that is not always known, see `RouteAnswer.isExact`.
   */
  readonly disjoint?: Disjoint | undefined;
}

/** A route and what it is like. */
export interface RatedRoute {
  /** From the source on. */
  readonly hops: Path;
  /** In the metric asked for; the less the better. */
  readonly cost: number;
  /** By every measure. */
  readonly figures: Figures;
  /** Figures that were not measured on every transport: usual ones fill the gaps. Absent when all were measured. */
  readonly assumed?: readonly Measurable[] | undefined;
}

/** The longest routes that are looked for when nobody says how long. */
export const DEFAULT_QUERY_HOPS = 50;

/** A query with all defaults filled in. */
export type CompleteQuery = Required<{ readonly [name in keyof RouteQuery]: NonNullable<RouteQuery[name]> }>;

/**
 * Completes a query and checks that it makes sense.
 * @throws {ProtocolError} `route-finder/bad-request`
 */
export function completeQuery(query: RouteQuery): CompleteQuery {
  const { source, destination, metric = "hops", count = 3, disjoint = "none", minHops = 1 } = query;
  const { avoid = [], avoidTypes = [], via = [] } = query;
  const maxHops = query.maxHops ?? Math.max(DEFAULT_QUERY_HOPS, minHops);
  const problem = source === destination
    ? "source and destination are the same visor"
    : !isWhole(count, MAX_COUNT)
    ? `count must be 1 to ${MAX_COUNT}`
    : !isWhole(minHops, MAX_SEARCH_HOPS) || !isWhole(maxHops, MAX_SEARCH_HOPS)
    ? `hops must be 1 to ${MAX_SEARCH_HOPS}`
    : minHops > maxHops
    ? `no route has at least ${minHops} and at most ${maxHops} hops`
    : typeof metric !== "string" && !isMix(metric)
    ? "the weights of a mix must not be negative, and not all of them 0"
    : avoid.length > MAX_AVOID || avoidTypes.length > MAX_AVOID || via.length > MAX_VIA
    ? `at most ${MAX_AVOID} visors or types can be avoided, and ${MAX_VIA} passed`
    : problemOfVisors({ source, destination, avoid, via });
  if (problem !== undefined) throw new ProtocolError("route-finder/bad-request", problem);
  return { source, destination, metric, count, disjoint, minHops, maxHops, avoid, avoidTypes, via };
}

/**
 * A query in the numbers of a graph.
 * @throws {RefusedError} `route-finder/unreachable` when a visor named has no transport
 */
export function searchOf(
  query: CompleteQuery,
  { graph, budget }: { readonly graph: TransportGraph; readonly budget: SearchBudget },
): Search {
  const { source, destination, metric, minHops, maxHops, avoid, via } = query;
  return {
    graph,
    costs: costsOf(query, graph),
    joining: joiningOf(metric),
    ties: graph.costs("hops"),
    source: numberOf(source, graph),
    destination: numberOf(destination, graph),
    minHops,
    maxHops,
    avoid: new Set(avoid.map((key) => graph.numberOf(key)).filter((number) => number !== undefined)),
    via: via.map((key) => numberOf(key, graph)),
    budget,
  };
}

function costsOf({ metric, avoidTypes }: CompleteQuery, graph: TransportGraph): Float64Array {
  const costs = typeof metric === "string" ? graph.costs(metric) : mixCosts(metric, (one) => graph.costs(one));
  if (avoidTypes.length === 0) return costs;
  const avoided = new Set(avoidTypes);
  return costs.map((cost, number) => cost === Infinity || avoided.has(graph.transport(number).kind) ? Infinity : cost);
}

function numberOf(key: PublicKey, graph: TransportGraph): number {
  const number = graph.numberOf(key);
  if (number !== undefined) return number;
  throw new RefusedError(
    "route-finder/unreachable",
    `no route to destination: ${shortKey(key)} has no transport on the map`,
  );
}

function problemOfVisors(
  { source, destination, avoid, via }: Pick<CompleteQuery, "source" | "destination" | "avoid" | "via">,
): string | undefined {
  const ends = [source, destination];
  const avoided = ends.find((key) => avoid.includes(key));
  if (avoided !== undefined) return `${shortKey(avoided)} is an end of the route, and cannot be avoided`;
  const passed = via.find((key, i) => ends.includes(key) || via.indexOf(key) !== i);
  if (passed !== undefined) return `${shortKey(passed)} is to be passed, but is an end of the route or named twice`;
  const both = via.find((key) => avoid.includes(key));
  return both === undefined ? undefined : `${shortKey(both)} is to be both passed and avoided`;
}

function isMix(weights: MetricWeights): boolean {
  const amounts = METRICS.map((metric) => weights[metric] ?? 0);
  return amounts.every((amount) => Number.isFinite(amount) && amount >= 0 && amount <= 1_000) &&
    amounts.some((amount) => amount > 0);
}

function isWhole(number: number, max: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= max;
}
