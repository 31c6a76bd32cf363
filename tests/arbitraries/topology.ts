/** Networks as drawings: visors by number, and which of them are joined. */

import fc from "fast-check";
import { at } from "../../lib/types/at.ts";

/** A connected network and a path through it. */
export interface Topology {
  /** How many visors. */
  readonly visors: number;
  /** Pairs of visors with a transport, the smaller number first; none twice. */
  readonly edges: readonly (readonly [number, number])[];
  /** Visors in order, each joined with the next; none twice, at least two. */
  readonly path: readonly number[];
}

/** Networks of 2 to `most` visors: a tree and some more edges, and a simple path in it. */
export function topology(most: number): fc.Arbitrary<Topology> {
  return fc.integer({ min: 2, max: most }).chain((visors) => {
    const parents = fc.tuple(...Array.from({ length: visors - 1 }, (_, i) => fc.nat({ max: i })));
    const further = fc.array(fc.tuple(fc.nat({ max: visors - 1 }), fc.nat({ max: visors - 1 })), { maxLength: visors });
    const steps = fc.array(fc.nat(), { minLength: 1, maxLength: visors - 1 });
    return fc.tuple(parents, further, fc.nat({ max: visors - 1 }), steps).map(([parents, further, start, steps]) => {
      const edges = new Map<string, [number, number]>();
      for (const [a, b] of [...parents.map((parent, i) => [parent, i + 1] as const), ...further]) {
        if (a !== b) edges.set(`${Math.min(a, b)}-${Math.max(a, b)}`, [Math.min(a, b), Math.max(a, b)]);
      }
      return { visors, edges: [...edges.values()], path: walk([...edges.values()], start, steps) };
    });
  });
}

/** Goes from visor to visor without coming to one twice, as far as it gets. */
function walk(edges: readonly (readonly [number, number])[], start: number, steps: readonly number[]): number[] {
  const path = [start];
  for (const step of steps) {
    const here = at(path, -1);
    const next = edges.flatMap(([a, b]) => a === here ? [b] : b === here ? [a] : []).filter((to) => !path.includes(to));
    if (next.length === 0) break;
    path.push(at(next, step % next.length));
  }
  return path;
}
