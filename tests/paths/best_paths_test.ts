/** Searches in graphs that are made to be hard: they must stay within their budget, and say so when it is used up. */

import assert from "node:assert/strict";
import { findBestPaths } from "../../lib/paths/best_paths.ts";
import { TransportGraph } from "../../lib/paths/graph.ts";
import type { Search } from "../../lib/paths/search.ts";
import type { PublicKey, TransportId } from "../../lib/types/mod.ts";

function graphOf(edges: readonly (readonly [number, number])[]): TransportGraph {
  const graph = new TransportGraph();
  for (const [number, [a, b]] of edges.entries()) {
    graph.add({ id: `${number}` as TransportId, edges: [keyOf(a), keyOf(b)], kind: "stcp", label: "" });
  }
  return graph;
}

function keyOf(visor: number): PublicKey {
  return `02${visor.toString(16).padStart(64, "0")}` as PublicKey;
}

function searchIn(
  graph: TransportGraph,
  more: Pick<Search, "minHops" | "maxHops"> & { to: number; steps: number },
): Search {
  const costs = graph.costs("hops");
  return {
    graph,
    costs,
    ties: costs,
    joining: "sum",
    source: graph.numberOf(keyOf(0))!,
    destination: graph.numberOf(keyOf(more.to))!,
    minHops: more.minHops,
    maxHops: more.maxHops,
    avoid: new Set(),
    via: [],
    budget: { steps: more.steps },
  };
}

/** Diamonds in a row: 2^count shortest ways of 2 × count hops, and no longer ones. */
function diamonds(count: number): [number, number][] {
  const edges: [number, number][] = [];
  for (let i = 0; i < 3 * count; i += 3) edges.push([i, i + 1], [i, i + 2], [i + 1, i + 3], [i + 2, i + 3]);
  return edges;
}

Deno.test("findBestPaths() finds three of many equal paths without trying them all", () => {
  const search = searchIn(graphOf(diamonds(30)), { to: 90, minHops: 1, maxHops: 64, steps: 1_000_000 });
  const { paths, isExact } = findBestPaths(search, { count: 3, parallel: "best" });
  assert.deepEqual(paths.map((path) => path.transports.length), [60, 60, 60]);
  assert.ok(isExact && search.budget.steps > 900_000);
});

Deno.test("findBestPaths() stops when the budget is used up, and says so", () => {
  const search = searchIn(graphOf(diamonds(30)), { to: 90, minHops: 61, maxHops: 64, steps: 500_000 });
  const { paths, isExact, areAll } = findBestPaths(search, { count: 3, parallel: "best" });
  assert.deepEqual([paths, isExact, areAll], [[], false, false]);
  assert.ok(search.budget.steps <= 0 && search.budget.steps > -10_000);
});

Deno.test("findBestPaths() does not get lost where a crowd of visors leads nowhere", () => {
  // The only way is 0 to 1; forty others are all joined with each other and with 0.
  const edges: [number, number][] = [[0, 1]];
  for (let a = 2; a < 42; a++) {
    edges.push([0, a]);
    for (let b = 2; b < a; b++) edges.push([a, b]);
  }
  const search = searchIn(graphOf(edges), { to: 1, minHops: 1, maxHops: 50, steps: 1_000_000 });
  const { paths, areAll } = findBestPaths(search, { count: 3, parallel: "best" });
  assert.deepEqual([paths.length, areAll], [1, true]);
  assert.ok(search.budget.steps > 800_000);
});
