/**
 * The shortest paths without loops between two visors, by hops.
 *
 * Beginnings of paths wait in buckets by the least number of hops that a whole path with that beginning can have. The
 * least one is taken, the longest of equals first, and continued by every neighbour from which the destination can still
 * be reached without a visor of the beginning; how far it is from there, a breadth-first search from the destination
 * tells, in which those visors are left out. So no beginning is a dead end, every path comes out once, and paths come out
 * by growing length. For each path that comes out there are at most as many searches as it has hops: as in Yen's
 * algorithm, of which this is a form without removed edges (Yen, Management Science 17, 1971).
 *
 * With a least number of hops above the distance that guarantee ends: whether a path of at least n hops exists is a hard
 * question. The beginnings are then sorted by at least n, which finds such paths at once in all but odd graphs, and a
 * budget of work ends the search in those.
 */

import type { ReadonlyGraph } from "./graph.ts";

/** Beginnings that may wait, which bounds the memory to about 6 MB. */
const MAX_WAITING = 100_000;

/** How much work searches may do; shared by all searches of one request. */
export interface SearchBudget {
  /** Steps from a visor to a neighbour that are left. */
  steps: number;
}

/** What to look for. */
export interface PathQuery {
  /** Numbers of two different visors. */
  readonly source: number;
  readonly destination: number;
  /** ≥ 1 */
  readonly minHops: number;
  readonly maxHops: number;
  /** At most so many paths. */
  readonly count: number;
}

/** The numbers of the visors of a path, both ends included. */
export type VisorPath = readonly number[];

/** What was found. */
export interface PathResult {
  /** The shortest first. */
  readonly paths: readonly VisorPath[];
  /** Is there any way from source to destination, whatever its length? */
  readonly isReachable: boolean;
}

/**
 * Finds the shortest paths within the limits.
 * @param graph not changed meanwhile
 * @param query what to look for
 * @param budget is used up; when nothing is left of it, what was found so far is the result
 */
export function findShortestPaths(
  graph: ReadonlyGraph,
  { query, budget }: { readonly query: PathQuery; readonly budget: SearchBudget },
): PathResult {
  const { source, destination, minHops, count } = query;
  // No path without loops is longer than the number of visors.
  const maxHops = Math.min(query.maxHops, graph.bound - 1);
  const distances = new Distances(graph, { destination, budget });
  const shortest = distances.of([source], { without: undefined, limit: graph.bound }).get(source);
  if (shortest === undefined) return { paths: [], isReachable: false };

  const paths: VisorPath[] = [];
  const waiting = new Buckets();
  if (Math.max(minHops, shortest) <= maxHops) {
    waiting.push({ visor: source, before: undefined, hops: 0 }, Math.max(minHops, shortest));
  }
  while (paths.length < count && budget.steps > 0 && waiting.size < MAX_WAITING) {
    const beginning = waiting.pop();
    if (beginning === undefined) break;
    if (beginning.visor === destination) paths.push(visorsOf(beginning));
    else continueBeginning(beginning, { graph, distances, waiting, destination, minHops, maxHops });
  }
  return { paths, isReachable: true };
}

/** The first visors of a path, the last one first. */
interface Beginning {
  readonly visor: number;
  readonly before: Beginning | undefined;
  readonly hops: number;
}

interface Search {
  readonly graph: ReadonlyGraph;
  readonly distances: Distances;
  readonly waiting: Buckets;
  readonly destination: number;
  readonly minHops: number;
  readonly maxHops: number;
}

function continueBeginning(beginning: Beginning, search: Search): void {
  const { graph, distances, waiting, destination, minHops, maxHops } = search;
  const hops = beginning.hops + 1;
  const neighbours = [...graph.neighbours(beginning.visor)];
  const left = distances.of(neighbours, { without: beginning, limit: maxHops - hops });
  // The last one pushed is taken first: of equals, the neighbour that was joined first.
  for (const visor of neighbours.reverse()) {
    const further = left.get(visor);
    if (further === undefined || (visor === destination && hops < minHops)) continue;
    waiting.push({ visor, before: beginning, hops }, Math.max(minHops, hops + further));
  }
}

function visorsOf(path: Beginning): VisorPath {
  const visors: number[] = [];
  for (let at: Beginning | undefined = path; at !== undefined; at = at.before) visors.push(at.visor);
  return visors.reverse();
}

/** Beginnings by the least length of a whole path; of equals, the last one that came. */
class Buckets {
  readonly #buckets: Beginning[][] = [];
  #least = 0;
  size = 0;

  push(beginning: Beginning, length: number): void {
    (this.#buckets[length] ??= []).push(beginning);
    this.#least = this.size === 0 ? length : Math.min(this.#least, length);
    this.size++;
  }

  pop(): Beginning | undefined {
    if (this.size === 0) return undefined;
    while ((this.#buckets[this.#least]?.length ?? 0) === 0) this.#least++;
    this.size--;
    return this.#buckets[this.#least]?.pop();
  }
}

/** Distances from a destination, by breadth-first search. Its arrays are used again in every search. */
class Distances {
  readonly #graph: ReadonlyGraph;
  readonly #destination: number;
  readonly #budget: SearchBudget;
  /** Visors in the order in which they were reached. */
  readonly #queue: Int32Array;
  readonly #distance: Int32Array;
  /** In which search a visor was reached or left out last, and in which it was asked for. */
  readonly #seen: Int32Array;
  readonly #wanted: Int32Array;
  #search = 0;

  constructor(graph: ReadonlyGraph, o: { readonly destination: number; readonly budget: SearchBudget }) {
    this.#graph = graph;
    this.#destination = o.destination;
    this.#budget = o.budget;
    this.#queue = new Int32Array(graph.bound);
    this.#distance = new Int32Array(graph.bound);
    this.#seen = new Int32Array(graph.bound);
    this.#wanted = new Int32Array(graph.bound);
  }

  /**
   * How far it is from visors to the destination.
   * @param visors that are asked for
   * @param options visors that must not be passed; the longest way of interest
   * @returns the distances of those from which the destination is reached
   */
  of(
    visors: readonly number[],
    options: { readonly without: Beginning | undefined; readonly limit: number },
  ): ReadonlyMap<number, number> {
    const search = ++this.#search;
    const found = new Map<number, number>();
    for (let at = options.without; at !== undefined; at = at.before) this.#seen[at.visor] = search;
    let missing = 0;
    for (const visor of visors) {
      if (this.#seen[visor] === search) continue;
      this.#wanted[visor] = search;
      missing++;
    }
    let length = 0;
    const reach = (visor: number, distance: number): void => {
      this.#seen[visor] = search;
      this.#distance[visor] = distance;
      this.#queue[length++] = visor;
      if (this.#wanted[visor] !== search) return;
      found.set(visor, distance);
      missing--;
    };
    reach(this.#destination, 0);
    for (let at = 0; at < length && missing > 0 && this.#budget.steps > 0; at++) {
      const visor = this.#queue[at] as number;
      const distance = (this.#distance[visor] as number) + 1;
      if (distance > options.limit) break;
      for (const neighbour of this.#graph.neighbours(visor)) {
        this.#budget.steps--;
        if (this.#seen[neighbour] !== search) reach(neighbour, distance);
      }
    }
    return found;
  }
}
