/**
 * From a map and a question to routes: questions of v1.3 with its limits and refusals (routing.md §7.2), and those by any
 * measure. Tested in tests/paths/query_test.ts.
 */

import { RefusedError } from "../errors/mod.ts";
import { at } from "../types/at.ts";
import { type Path, type PublicKey, shortKey } from "../types/mod.ts";
import { findBestPaths } from "./best_paths.ts";
import { countSteps } from "./budget.ts";
import { findDisjointPaths } from "./disjoint_paths.ts";
import {
  assumedOf,
  costOf,
  figuresOf,
  type MeasuredTransport,
  type Metric,
  type MetricWeights,
  sumFigures,
} from "./figures.ts";
import type { TransportGraph } from "./graph.ts";
import { type CompleteQuery, completeQuery, type RatedRoute, type RouteQuery, searchOf } from "./query.ts";
import { loopsOf } from "./loops.ts";
import { numberAt } from "./read.ts";
import { MAX_SEARCH_HOPS, type NumberedPath, type Search, type SearchBudget } from "./search.ts";

/** Routes that one pair of v1.3 gets at most. */
export const MAX_ROUTES = 3;

/** A loop goes to a neighbour and back. */
const LOOP_HOPS = 2;

/** Between whom routes are asked for. */
export interface RouteEnds {
  readonly source: PublicKey;
  readonly destination: PublicKey;
  /** From a visor to itself, over a neighbour if that is within the limits. */
  readonly isLoop?: boolean;
}

/** A question of v1.3. */
export interface PairsQuery {
  readonly pairs: readonly RouteEnds[];
  /** 0–65535; only the route from a visor to itself has none. */
  readonly minHops: number;
  /** 0–65535; none has more than {@link MAX_SEARCH_HOPS}. */
  readonly maxHops: number;
}

/** The answer to a question by any measure. */
export interface RouteAnswer {
  /** The best first; at least one. */
  readonly routes: readonly RatedRoute[];
  /**
   * True: there are certainly no better routes, nor more of them up to the count. Promised for all questions but two:
   * routes that share nothing where limits of hops or visors to pass stand against the best set without them, which is
   * NP-hard (mostly it is true nevertheless), and odd graphs that use up the budget of work. False: every route is as
   * asked for, but a set may be there that is better or larger.
   */
  readonly isExact: boolean;
}

/**
 * Finds routes by any measure.
 * @throws {ProtocolError} `route-finder/bad-request`
 * @throws {RefusedError} `route-finder/unreachable`, `route-finder/no-route`
 */
export function answerQuery(graph: TransportGraph, query: RouteQuery, budgets = countSteps): RouteAnswer {
  const complete = completeQuery(query);
  const search = searchOf(complete, { graph, budget: budgets() });
  const { paths, isExact } = findPaths(search, complete);
  if (paths.length === 0) throw nothingFound(search, { shown: shortKey(complete.destination), isExact });
  return { routes: paths.map((path) => rate(path, { graph, metric: complete.metric })), isExact };
}

/** Finds paths for a question that is in numbers already. */
export function findPaths(
  search: Search,
  { count, disjoint }: Pick<CompleteQuery, "count" | "disjoint">,
): { readonly paths: readonly NumberedPath[]; readonly isExact: boolean } {
  if (disjoint !== "none") return findDisjointPaths(search, { count, separation: disjoint });
  return findBestPaths(search, { count, parallel: "best" });
}

/** A path with its hops, figures and cost. */
export function rate(
  path: NumberedPath,
  { graph, metric }: { readonly graph: TransportGraph; readonly metric: Metric | MetricWeights },
): RatedRoute {
  const transports = path.transports.map((number) => graph.transport(number));
  return rateTransports(hopsOf(path, graph), { transports, metric });
}

/** Rates a path whose transports nobody measured. */
export function rateHops(hops: Path, metric: Metric | MetricWeights): RatedRoute {
  return rateTransports(hops, { transports: hops.map(() => ({ kind: "" })), metric });
}

function rateTransports(
  hops: Path,
  { transports, metric }: {
    readonly transports: readonly MeasuredTransport[];
    readonly metric: Metric | MetricWeights;
  },
): RatedRoute {
  const parts = transports.map(figuresOf), figures = sumFigures(parts), assumed = assumedOf(transports);
  return { hops, cost: costOf(figures, { metric, parts }), figures, ...(assumed.length > 0 && { assumed }) };
}

/**
 * Finds routes for every pair, as v1.3 does.
 * @returns the routes of each pair, at least one, the shortest first
 * @throws {RefusedError} `route-finder/unreachable` when no path leads from a source to its destination,
 * `route-finder/no-route` when none is within the limits
 */
export function findRoutes(
  graph: TransportGraph,
  query: PairsQuery,
  budgets = countSteps,
): readonly (readonly Path[])[] {
  const budget = budgets();
  return query.pairs.map((pair) => routesOf(pair, { graph, query, budget }));
}

/** Is there any way from source to destination, whatever its length? */
export function isConnected({ graph, costs, source, destination }: Search): boolean {
  const reached = new Set([source]);
  for (const visor of reached) {
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    for (let i = 0; i < end; i += 2) if (costs[numberAt(arcs, i + 1)] !== Infinity) reached.add(numberAt(arcs, i));
  }
  return reached.has(destination);
}

function routesOf(
  { source, destination, isLoop = false }: RouteEnds,
  context: { readonly graph: TransportGraph; readonly query: PairsQuery; readonly budget: SearchBudget },
): readonly Path[] {
  const { graph, query, budget } = context;
  if (isLoop && query.minHops <= LOOP_HOPS && query.maxHops >= LOOP_HOPS) {
    const loops = loopsOf(source, { graph, count: MAX_ROUTES });
    if (loops.length > 0) return loops;
  }
  // The only path without loops from a visor to itself.
  if (source === destination) {
    if (query.minHops > 0) throw noRoute();
    return [[]];
  }
  const [from, to] = [graph.numberOf(source), graph.numberOf(destination)];
  if (from === undefined || to === undefined) throw unreachable();
  const search: Search = {
    graph,
    costs: graph.costs("hops"),
    joining: "sum",
    ties: graph.costs("hops"),
    source: from,
    destination: to,
    minHops: Math.max(1, query.minHops),
    maxHops: Math.min(query.maxHops, MAX_SEARCH_HOPS),
    avoid: new Set(),
    via: [],
    budget,
  };
  const isPossible = search.minHops <= search.maxHops;
  const { paths } = isPossible ? findPaths(search, { count: MAX_ROUTES, disjoint: "none" }) : { paths: [] };
  if (paths.length > 0) return paths.map((path) => hopsOf(path, graph));
  throw isConnected(search) ? noRoute() : unreachable();
}

function hopsOf({ visors, transports }: NumberedPath, graph: TransportGraph): Path {
  return transports.map((number, i) => ({
    transportId: graph.transport(number).id,
    from: graph.keyOf(at(visors, i)),
    to: graph.keyOf(at(visors, i + 1)),
  }));
}

/** Why a search found nothing. */
export function nothingFound(search: Search, { shown, isExact }: { shown: string; isExact: boolean }): RefusedError {
  if (!isConnected(search)) {
    return new RefusedError(
      "route-finder/unreachable",
      `no route to destination: nothing that works leads to ${shown}`,
    );
  }
  const message = isExact
    ? `route not found: there are ways to ${shown}, but none as asked for`
    : `route not found: none as asked for to ${shown} was found in time`;
  return new RefusedError("route-finder/no-route", message);
}

function noRoute(): RefusedError {
  return new RefusedError("route-finder/no-route", "route not found");
}

function unreachable(): RefusedError {
  return new RefusedError("route-finder/unreachable", "no route to destination");
}
