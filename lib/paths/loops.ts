/**
 * Loops: from a visor to a neighbour and back over the same transport. With them v1.3 measures the round trip to a
 * neighbour: `cli visor ping` dials its own visor over such a path (routing.md §8.4).
 */

import type { Path, PublicKey } from "../types/mod.ts";
import type { TransportGraph } from "./graph.ts";
import { costAt, numberAt } from "./read.ts";

/** The loops of a visor over transports that work, at most so many: direct ones first. None for a visor not on the map. */
export function loopsOf(
  visor: PublicKey,
  { graph, count }: { readonly graph: TransportGraph; readonly count: number },
): readonly Path[] {
  const number = graph.numberOf(visor);
  if (number === undefined) return [];
  const costs = graph.costs("hops"), arcs = graph.arcs(number), end = 2 * graph.degree(number);
  const found: { readonly neighbour: number; readonly transport: number; readonly cost: number }[] = [];
  for (let i = 0; i < end; i += 2) {
    const transport = numberAt(arcs, i + 1), cost = costAt(costs, transport);
    if (cost !== Infinity) found.push({ neighbour: numberAt(arcs, i), transport, cost });
  }
  return found.sort((a, b) => a.cost - b.cost).slice(0, count).map(({ neighbour, transport }) => {
    const { id: transportId } = graph.transport(transport), to = graph.keyOf(neighbour);
    return [{ transportId, from: visor, to }, { transportId, from: to, to: visor }];
  });
}
