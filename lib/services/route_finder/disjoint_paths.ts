/**
 * Sets of paths that share nothing: as many as there are up to a number, and of those sets the cheapest. For the widest
 * path, the set whose narrowest transport is the widest, and of those the one with the fewest hops.
 *
 * Where no limit of hops stands against it, that is a flow ({@link PathFlow}) and exact. With limits the question is hard:
 * if all paths within the limits are few, every set of them is tried, which is exact, too; else the better one of two
 * good sets is taken, and the result says that it may not be the best.
 */

import { BestPaths } from "./best_paths.ts";
import { Bounds } from "./bounds.ts";
import { joinCosts, TIE } from "./figures.ts";
import { PathFlow, type Separation } from "./flow.ts";
import type { Path, Search } from "./search.ts";

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
export function findDisjointPaths(asked: Search, options: DisjointOptions): PathSet {
  const search = options.separation === "visors" ? { ...asked, costs: withOneDirect(asked) } : asked;
  const flow = search.via.length > 0
    ? []
    : search.joining === "sum"
    ? cheapestFlow(search, options)
    : widestFlow(search, options);
  const fitting = flow.filter((path) => fits(path, search));
  if (search.via.length === 0 && fitting.length === flow.length) {
    return { paths: byCost(fitting), isExact: search.budget.steps > 0 };
  }
  const bounds = new Bounds(search);
  const { candidates, areAll } = listCandidates(search, bounds);
  const { set, isExact } = bestSet(candidates, { search, ...options });
  if (areAll && isExact) return { paths: byCost(set), isExact: true };
  const sets = [set, fitting, oneByOne(search, { ...options, bounds })];
  return {
    paths: byCost(sets.reduce((best, one) => isBetter(one, { than: best, search }) ? one : best)),
    isExact: false,
  };
}

function cheapestFlow(search: Search, { count, separation }: DisjointOptions): Path[] {
  const flow = new PathFlow(search, separation);
  for (let paths = 0; paths < count && flow.grow(); paths++);
  return flow.paths();
}

/** The narrowest transport as wide as can be: a flow over transports that are wide enough, cheap by its ties. */
function widestFlow(search: Search, options: DisjointOptions): Path[] {
  const over = (limit: number): Path[] => {
    const ties = search.costs.map((cost) => cost - cost % TIE <= limit ? cost % TIE : Infinity);
    return cheapestFlow({ ...search, costs: ties }, options).map((path) => withCost(path, search));
  };
  // So wide at most, since each path leaves and arrives over another transport. Mostly that is the answer.
  const atEnds = over(narrowestAtEnds(search, options.count));
  if (atEnds.length === options.count) return atEnds;
  const count = over(Infinity).length;
  if (count === 0) return [];
  const least = narrowestAtEnds(search, count);
  const limits = [...new Set(search.costs.filter((cost) => cost !== Infinity).map((cost) => cost - cost % TIE))]
    .filter((limit) => limit >= least).sort((a, b) => a - b);
  let low = 0, high = limits.length - 1;
  while (low < high && search.budget.steps > 0) {
    const middle = (low + high) >> 1;
    if (over(limits[middle]!).length >= count) high = middle;
    else low = middle + 1;
  }
  return over(limits[high]!);
}

/** What the narrowest one of so many transports costs at least, at that end where it costs more. */
function narrowestAtEnds({ graph, costs, source, destination }: Search, count: number): number {
  return Math.max(...[source, destination].map((visor) => {
    const prices = [...graph.arcs(visor).subarray(0, 2 * graph.degree(visor))].filter((_, i) => i % 2 === 1)
      .map((transport) => costs[transport]!).sort((a, b) => a - b);
    const price = prices[count - 1] ?? Infinity;
    return price === Infinity ? Infinity : price - price % TIE;
  }));
}

/** Two direct paths share no visor between the ends, but go over the same ones: only the better transport counts. */
function withOneDirect({ graph, costs, source, destination }: Search): Float64Array {
  const arcs = graph.arcs(source), direct: number[] = [];
  for (let i = 0; i < 2 * graph.degree(source); i += 2) if (arcs[i] === destination) direct.push(arcs[i + 1]!);
  if (direct.length < 2) return costs;
  const best = direct.reduce((best, one) => costs[one]! < costs[best]! ? one : best);
  const changed = costs.slice();
  for (const transport of direct) if (transport !== best) changed[transport] = Infinity;
  return changed;
}

function listCandidates(search: Search, bounds: Bounds): { candidates: Path[]; areAll: boolean } {
  const paths = new BestPaths(search, { parallel: "all", bounds });
  const candidates: Path[] = [];
  while (candidates.length <= MAX_CANDIDATES) {
    const path = paths.next();
    if (path === undefined) return { candidates, areAll: paths.isExhausted };
    candidates.push(path);
  }
  return { candidates, areAll: false };
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
function oneByOne(
  search: Search,
  { count, separation, bounds }: DisjointOptions & { readonly bounds: Bounds },
): Path[] {
  const costs = search.costs.slice();
  const paths: Path[] = [];
  const { graph } = search;
  while (paths.length < count) {
    const path = new BestPaths({ ...search, costs }, { parallel: "best", bounds }).next();
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
    : path.visors.slice(1, -1).some((visor) => other.visors.includes(visor));
}

function fits({ transports }: Path, { minHops, maxHops }: Search): boolean {
  return transports.length >= minHops && transports.length <= maxHops;
}

function withCost({ visors, transports }: Path, { costs, joining }: Search): Path {
  const cost = transports.reduce((cost, transport) => joinCosts(cost, { b: costs[transport]!, joining }), 0);
  return { visors, transports, cost };
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
