/**
 * Sets of paths that share nothing: as many as there are up to a number, and of those sets the cheapest. For the widest
 * path, the set whose narrowest transport is the widest, and of those the one with the fewest hops, then relays.
 *
 * Where no limit of hops stands against it, that is a flow ({@link PathFlow}) and exact. With limits the question is hard:
 * if all paths within the limits are few, every set of them is tried, which is exact, too; else the better one of two
 * good sets is taken, and the result says that it may not be the best.
 */

import { findBestPaths, measureOf } from "./best_paths.ts";
import { Bounds } from "./bounds.ts";
import { joinCosts, TIE } from "./figures.ts";
import { PathFlow, type Separation } from "./flow.ts";
import { costOfPath, type Path, type Search } from "./search.ts";

/** With more paths than that not every set is tried. */
const MAX_CANDIDATES = 64;

/** Sets that are tried at most, some milliseconds. */
const MAX_TRIES = 100_000;

/** What was found. */
export interface PathSet {
  /** The cheapest first. */
  readonly paths: readonly Path[];
  /** Is there certainly no better set? */
  readonly isExact: boolean;
}

/** What to look for. */
export interface DisjointOptions {
  /** At most so many paths, ≥ 1. */
  readonly count: number;
  readonly separation: Separation;
}

/** Finds the set. */
export function findDisjointPaths(search: Search, options: DisjointOptions): PathSet {
  if (options.count === 1) return findBestPaths(search, { count: 1, parallel: "all" });
  const flow = search.via.length > 0
    ? []
    : search.joining === "sum"
    ? findCheapest(search, options)
    : findWidest(search, options);
  const fitting = flow.filter((path) => fits(path, search));
  if (search.via.length === 0 && fitting.length === flow.length) {
    return { paths: byCost(fitting), isExact: search.budget.steps > 0 };
  }
  // Of the widest paths each limit has its own.
  const bounds = search.joining === "sum" ? { bounds: new Bounds(search, measureOf(search)) } : {};
  const { paths: candidates, areAll } = findBestPaths(search, { count: MAX_CANDIDATES, parallel: "all", ...bounds });
  const { set, isExact } = bestSet(candidates, { search, ...options });
  if (areAll && isExact) return { paths: byCost(set), isExact: true };
  const sets = [set, fitting, findOneByOne(search, { ...options, ...bounds })];
  return {
    paths: byCost(sets.reduce((best, one) => isBetter(one, { than: best, search }) ? one : best)),
    isExact: false,
  };
}

/** Adds paths to a flow up to a count, and says how many it has then. */
function grow(flow: PathFlow, { from, to }: { readonly from: number; readonly to: number }): number {
  let size = from;
  while (size < to && flow.grow()) size++;
  return size;
}

function pathsOf(flow: PathFlow, search: Search): Path[] {
  return flow.paths().map((path) => ({ ...path, cost: costOfPath(path, search) }));
}

/** The cheapest set, whatever the length of its paths. */
function findCheapest(search: Search, { count, separation }: DisjointOptions): Path[] {
  const flow = new PathFlow(search, { values: search.costs, limit: Number.MAX_VALUE, separation });
  grow(flow, { from: 0, to: count });
  return pathsOf(flow, search);
}

/** The set whose narrowest transport is as wide as can be, and of those the one with the fewest hops. */
function findWidest(search: Search, { count: wanted, separation }: DisjointOptions): Path[] {
  // Each path leaves and arrives over another transport: so many at most, and so wide at most. Mostly that is the answer.
  const prices = [search.source, search.destination].map((visor) => pricesAt(visor, search));
  const count = Math.min(wanted, ...prices.map(({ length }) => length));
  if (count === 0) return [];
  const within = (cost: number): PathFlow =>
    new PathFlow(search, { values: search.ties, limit: cost - cost % TIE + TIE - 1, separation });
  let flow = within(Math.max(...prices.map((list) => list[count - 1]!)));
  let size = grow(flow, { from: 0, to: count });
  if (size < count) {
    flow.raiseLimit();
    size = grow(flow, { from: size, to: count });
    // So many there are not: the few may be wider than that.
    if (size < count) return findWidest(search, { count: size, separation });
    flow = within(flow.limit);
    grow(flow, { from: 0, to: count });
  }
  return pathsOf(flow, search);
}

/** What the transports of a visor cost, the cheapest first. */
function pricesAt(visor: number, { graph, costs }: Search): number[] {
  const arcs = graph.arcs(visor), prices: number[] = [];
  for (let i = 1; i < 2 * graph.degree(visor); i += 2) prices.push(costs[arcs[i]!]!);
  return prices.filter((price) => price !== Infinity).sort((a, b) => a - b);
}

/** Tries every set of candidates, which come by rising cost. */
function bestSet(
  candidates: readonly Path[],
  { search, count, separation }: DisjointOptions & { readonly search: Search },
): { set: Path[]; isExact: boolean } {
  const { joining } = search;
  const conflicts = candidates.map((one) => candidates.map((other) => areJoined(one, { other, separation })));
  let best: number[] = [], bestCost = 0, tries = 0;
  const choose = (from: number, { chosen, cost }: { readonly chosen: number[]; readonly cost: number }): void => {
    if (chosen.length > best.length || (chosen.length === best.length && cost < bestCost)) {
      best = chosen;
      bestCost = cost;
    }
    if (chosen.length === count) return;
    for (let i = from; i < candidates.length && tries < MAX_TRIES; i++) {
      tries++;
      const most = Math.min(count, chosen.length + candidates.length - i);
      if (most < best.length) return;
      // All that follow cost at least as much as this one; of the widest, ties may still be less.
      let least = cost;
      for (let n = chosen.length; n < best.length; n++) least = joinCosts(least, { b: candidates[i]!.cost, joining });
      if (most === best.length && (joining === "sum" ? least : least - least % TIE) >= bestCost) return;
      if (chosen.some((other) => conflicts[i]![other])) continue;
      choose(i + 1, { chosen: [...chosen, i], cost: joinCosts(cost, { b: candidates[i]!.cost, joining }) });
    }
  };
  choose(0, { chosen: [], cost: 0 });
  return { set: best.map((i) => candidates[i]!), isExact: tries < MAX_TRIES };
}

/** The best path, then the best one that shares nothing with it, and so on. */
function findOneByOne(
  search: Search,
  { count, separation, ...bounds }: DisjointOptions & { readonly bounds?: Bounds },
): Path[] {
  const costs = search.costs.slice();
  const paths: Path[] = [];
  const { graph } = search;
  while (paths.length < count) {
    const [path] = findBestPaths({ ...search, costs }, { count: 1, parallel: "best", ...bounds }).paths;
    if (path === undefined) break;
    paths.push(path);
    for (const transport of path.transports) costs[transport] = Infinity;
    if (separation === "links") continue;
    for (const visor of path.visors.slice(1, -1)) {
      const arcs = graph.arcs(visor);
      for (let i = 0; i < 2 * graph.degree(visor); i += 2) costs[arcs[i + 1]!] = Infinity;
    }
  }
  return paths;
}

function areJoined(
  path: Path,
  { other, separation }: { readonly other: Path; readonly separation: Separation },
): boolean {
  return separation === "links"
    ? path.transports.some((transport) => other.transports.includes(transport))
    : path.visors.length === 2 && other.visors.length === 2 ||
      path.visors.slice(1, -1).some((visor) => other.visors.includes(visor));
}

function fits({ transports }: Path, { minHops, maxHops }: Search): boolean {
  return transports.length >= minHops && transports.length <= maxHops;
}

function isBetter(
  set: readonly Path[],
  { than, search }: { readonly than: readonly Path[]; readonly search: Search },
): boolean {
  const costOf = (paths: readonly Path[]): number =>
    paths.reduce((cost, path) => joinCosts(cost, { b: path.cost, joining: search.joining }), 0);
  return set.length > than.length || (set.length === than.length && costOf(set) < costOf(than));
}

function byCost(paths: readonly Path[]): Path[] {
  return [...paths].sort((a, b) => a.cost - b.cost);
}
