/** Routes by any measure, held against trying everything. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { at } from "../../lib/types/at.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { findDisjointPaths } from "../../lib/paths/disjoint_paths.ts";
import { TransportGraph } from "../../lib/paths/graph.ts";
import { answerQuery, type RouteAnswer } from "../../lib/paths/answer.ts";
import { countSteps } from "../../lib/paths/budget.ts";
import { completeQuery, type RouteQuery, searchOf } from "../../lib/paths/query.ts";
import type { MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import { question, transport } from "../arbitraries/route_map.ts";
import { allRoutes, bestCosts, compare, costOf, costOfSet, type OracleRoute } from "../oracles/best_routes.ts";

function graphOf(map: readonly MapTransport[]): TransportGraph {
  const graph = new TransportGraph();
  for (const transport of map) graph.add(transport);
  return graph;
}

function answer(map: readonly MapTransport[], asked: RouteQuery): RouteAnswer | undefined {
  try {
    return answerQuery(graphOf(map), asked);
  } catch (error) {
    if (hasCode(error, "route-finder/no-route") || hasCode(error, "route-finder/unreachable")) return undefined;
    throw error;
  }
}

function hold(map: readonly MapTransport[], asked: RouteQuery): void {
  const complete = completeQuery(asked);
  const { metric } = complete;
  const found = answer(map, asked);
  const expected = bestCosts(map, complete);
  const possible = new Map(allRoutes(map, complete).map((route) => [nameOf(route), route]));
  const routes = (found?.routes ?? []).map(({ hops }) => {
    const route = possible.get(hops.map(({ transportId }) => transportId).join());
    assert.ok(route !== undefined, "a route is none, or not as asked for");
    assert.deepEqual(hops.flatMap(({ from, to }, i) => i === 0 ? [from, to] : [to]), route.visors);
    return route;
  });
  // With more routes than are tried in sets, limits of hops may leave a set that is only good.
  if (found !== undefined && !found.isExact) {
    assert.ok(complete.disjoint !== "none" && possible.size > 64);
    return;
  }
  const costs = routes.map((route) => costOf(route, metric)).sort(compare);
  if (complete.disjoint === "none") {
    assert.deepEqual(costs, expected);
    assert.equal(new Set(routes.map(({ visors }) => visors.join())).size, routes.length);
  } else {
    assert.equal(costs.length, expected.length);
    assert.deepEqual(costOfSet(costs, metric), costOfSet(expected, metric));
    const shared = complete.disjoint === "links"
      ? routes.flatMap(({ transports }) => transports.map(({ id }) => id as string))
      : routes.flatMap(({ visors }) => visors.slice(1, -1));
    assert.equal(new Set(shared).size, shared.length);
  }
  for (const [i, one] of (found?.routes ?? []).entries()) {
    assert.ok(Math.abs(one.cost - costOf(at(routes, i), metric)[0]) < 1e-5, `${one.cost}`);
  }
}

function nameOf({ transports }: OracleRoute): string {
  return transports.map(({ id }) => id).join();
}

/** Mostly dense enough to hold many routes. */
const map = fc.uniqueArray(transport, { selector: ({ id }) => id, minLength: 4, maxLength: 16, size: "max" });

/** With more routes than are tried. */
const dense = fc.uniqueArray(transport, { selector: ({ id }) => id, minLength: 12, maxLength: 22, size: "max" });

Deno.test("answerQuery() finds the best routes there are, by any measure and under any conditions", () => {
  fc.assert(fc.property(map, question, hold), { numRuns: 3_000 });
});

Deno.test("answerQuery() finds as many routes that share nothing as there are, together the best", () => {
  const asked = question.map((one) => ({
    ...one,
    disjoint: one.disjoint === "none" ? "links" as const : one.disjoint,
    minHops: 1,
    maxHops: 6,
    via: [],
  }));
  fc.assert(fc.property(map, asked, hold), { numRuns: 2_000 });
});

Deno.test("findDisjointPaths() claims to know the best set under limits only where it is the best", () => {
  // Limits that the unlimited set seldom keeps, and so few candidates that most sets are beyond them.
  const limits = fc.record({
    minHops: fc.integer({ min: 1, max: 3 }),
    more: fc.nat(1),
    candidates: fc.integer({ min: 2, max: 12 }),
  });
  const asked = question.map((one) => ({
    ...one,
    disjoint: one.disjoint === "none" ? "links" as const : one.disjoint,
    avoid: [],
    avoidTypes: [],
    via: [],
  }));
  let proven = 0, best = 0, all = 0;
  const claim = (
    map: readonly MapTransport[],
    asked: RouteQuery,
    { minHops, more, candidates }: { minHops: number; more: number; candidates: number },
  ): void => {
    const complete = completeQuery({ ...asked, minHops, maxHops: minHops + more });
    const graph = graphOf(map);
    if (graph.numberOf(complete.source) === undefined || graph.numberOf(complete.destination) === undefined) return;
    if (complete.via.some((key) => graph.numberOf(key) === undefined) || complete.disjoint === "none") return;
    const search = searchOf(complete, { graph, budget: countSteps() });
    const { count, disjoint, metric } = complete;
    const { paths, isExact } = findDisjointPaths(search, { count, separation: disjoint, candidates });
    const costs = paths.map((path) =>
      costOf({ transports: path.transports.map((one) => graph.transport(one)), visors: [] }, metric)
    );
    const expected = bestCosts(map, complete);
    const isBest = costs.length === expected.length &&
      compare(costOfSet(costs, metric), costOfSet(expected, metric)) === 0;
    all++;
    if (isBest) best++;
    if (!isExact) return;
    proven++;
    assert.ok(isBest, `${costs.join(" | ")}, but there is ${expected.join(" | ")}`);
  };
  fc.assert(fc.property(dense, asked, limits, claim), { numRuns: 5_000 });
  assert.ok(proven > 0.8 * all && best > 0.9 * all, `${proven} proven and ${best} best of ${all}`);
});
