import assert from "node:assert/strict";
import fc from "fast-check";
import { findShortestPaths, type PathQuery } from "../../../lib/services/route_finder/k_shortest.ts";
import type { ReadonlyGraph } from "../../../lib/services/route_finder/graph.ts";
import { allSimplePaths, isConnected } from "../../oracles/simple_paths.ts";

type Edges = readonly (readonly [number, number])[];

function graphOf(edges: Edges, bound: number): ReadonlyGraph {
  const neighbours = Array.from({ length: bound }, () => new Set<number>());
  for (const [a, b] of edges) {
    neighbours[a]?.add(b);
    neighbours[b]?.add(a);
  }
  return { bound, neighbours: (visor) => neighbours[visor] ?? [] };
}

function find(edges: Edges, query: PathQuery, bound: number): ReturnType<typeof findShortestPaths> {
  return findShortestPaths(graphOf(edges, bound), { query, budget: { steps: 10_000_000 } });
}

const caseArbitrary = fc.integer({ min: 2, max: 8 }).chain((bound) =>
  fc.record({
    bound: fc.constant(bound),
    edges: fc.uniqueArray(
      fc.tuple(fc.nat(bound - 1), fc.nat(bound - 1)).filter(([a, b]) => a < b),
      { selector: ([a, b]) => a * 8 + b, maxLength: 20 },
    ),
    ends: fc.tuple(fc.nat(bound - 1), fc.nat(bound - 1)).filter(([a, b]) => a !== b),
    minHops: fc.integer({ min: 1, max: 8 }),
    maxHops: fc.integer({ min: 1, max: 12 }),
    count: fc.integer({ min: 1, max: 12 }),
  })
);

Deno.test("findShortestPaths() finds as many paths as there are, as short as they can be, all different", () => {
  fc.assert(
    fc.property(caseArbitrary, ({ bound, edges, ends: [source, destination], minHops, maxHops, count }) => {
      const query = { source, destination, minHops, maxHops, count };
      const { paths, isReachable } = find(edges, query, bound);
      const expected = allSimplePaths(edges, query);
      assert.deepEqual(paths.map((path) => path.length), expected.slice(0, count).map((path) => path.length));
      const names = new Set(expected.map((path) => path.join()));
      for (const path of paths) assert.ok(names.delete(path.join()), `${path} is no path, or came twice`);
      assert.equal(isReachable, isConnected(edges, query));
    }),
    { numRuns: 500 },
  );
});

Deno.test("findShortestPaths() stops when the budget is used up", () => {
  // 2^40 ways of 80 hops and more lead to the middle, and none further: with a least number of hops beyond it, a search
  // without limits would try them all.
  const edges: [number, number][] = [];
  for (let i = 0; i < 120; i += 3) edges.push([i, i + 1], [i, i + 2], [i + 1, i + 3], [i + 2, i + 3]);
  const budget = { steps: 1_000_000 };
  const query = { source: 0, destination: 120, minHops: 81, maxHops: 120, count: 3 };
  const { paths, isReachable } = findShortestPaths(graphOf(edges, 121), { query, budget });
  assert.deepEqual([paths, isReachable], [[], true]);
  assert.ok(budget.steps <= 0 && budget.steps > -1000);
});

Deno.test("findShortestPaths() finds three of many equal paths without trying them all", () => {
  const edges: [number, number][] = [];
  for (let i = 0; i < 120; i += 3) edges.push([i, i + 1], [i, i + 2], [i + 1, i + 3], [i + 2, i + 3]);
  const budget = { steps: 1_000_000 };
  const query = { source: 0, destination: 120, minHops: 1, maxHops: 100, count: 3 };
  const { paths } = findShortestPaths(graphOf(edges, 121), { query, budget });
  assert.deepEqual(paths.map((path) => path.length - 1), [80, 80, 80]);
  assert.ok(budget.steps > 900_000);
});
