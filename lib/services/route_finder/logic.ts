/** From a map and a question to routes, with the limits and refusals of v1.3 (routing.md §7.2). */

import { RefusedError } from "../../errors/mod.ts";
import type { Hop, PublicKey } from "../../types/mod.ts";
import type { TransportGraph } from "./graph.ts";
import { findShortestPaths, type SearchBudget, type VisorPath } from "./k_shortest.ts";

/** Routes that one pair gets at most. */
export const MAX_ROUTES = 3;

/** Steps that one request may take, about 100 ms: enough for twenty searches through a map of 100,000 transports. */
const STEPS_PER_REQUEST = 4_000_000;

/** Whose routes are asked for. */
export interface RoutePair {
  readonly source: PublicKey;
  readonly destination: PublicKey;
}

/** A question. */
export interface RouteQuery {
  readonly pairs: readonly RoutePair[];
  /** 0–65535; only the route from a visor to itself has none. */
  readonly minHops: number;
  /** 0–65535 */
  readonly maxHops: number;
}

/** A route is its hops from the source on; the route of a visor to itself has none. */
export type FoundRoute = readonly Hop[];

/**
 * Finds routes for every pair.
 * @returns the routes of each pair, at least one, the shortest first
 * @throws {RefusedError} `route-finder/unreachable` when no path leads from a source to its destination,
 * `route-finder/no-route` when none is within the limits
 */
export function findRoutes(graph: TransportGraph, query: RouteQuery): readonly (readonly FoundRoute[])[] {
  const budget = { steps: STEPS_PER_REQUEST };
  return query.pairs.map((pair) => routesOf(pair, { graph, query, budget }));
}

function routesOf(
  { source, destination }: RoutePair,
  context: { readonly graph: TransportGraph; readonly query: RouteQuery; readonly budget: SearchBudget },
): readonly FoundRoute[] {
  const { graph, query, budget } = context;
  // The only path without loops from a visor to itself.
  if (source === destination) {
    if (query.minHops > 0) throw noRoute();
    return [[]];
  }
  const [from, to] = [graph.numberOf(source), graph.numberOf(destination)];
  if (from === undefined || to === undefined) throw unreachable();
  const { paths, isReachable } = findShortestPaths(graph, {
    query: {
      source: from,
      destination: to,
      minHops: Math.max(1, query.minHops),
      maxHops: query.maxHops,
      count: MAX_ROUTES,
    },
    budget,
  });
  if (!isReachable) throw unreachable();
  if (paths.length === 0) throw noRoute();
  return paths.map((path) => hopsOf(path, graph));
}

function hopsOf(path: VisorPath, graph: TransportGraph): FoundRoute {
  return path.slice(1).map((visor, i) => {
    const before = path[i] as number;
    return {
      transportId: graph.transportBetween(before, visor),
      from: graph.keyOf(before),
      to: graph.keyOf(visor),
    };
  });
}

function noRoute(): RefusedError {
  return new RefusedError("route-finder/no-route", "route not found");
}

function unreachable(): RefusedError {
  return new RefusedError("route-finder/unreachable", "no route to destination");
}
