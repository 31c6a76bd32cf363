/**
 * Sets of paths that share nothing: as many as there are up to a number, and of those sets the cheapest. For the widest
 * path, the set whose narrowest transport is the widest, and of those the one with the fewest hops, then relays.
 *
 * Without limits that is a flow ({@link PathFlow}) and exact, and so it is whenever none of its paths breaks a limit of
 * hops. With limits the question is NP-hard (Itai, Perl, Shiloach, Networks 12, 1982), so an exact answer is not promised.
 * The best paths within the limits are tried in all their sets. The best of these is proven the best of all where all
 * paths are among them, or where no other path, costing at least as much as the last one, could make a better set; which
 * mostly is so. Otherwise the result is the best set that is known, and says so; there may be a cheaper or a larger one.
 * Tested in tests/paths/best_routes_prop_test.ts.
 */

import { at } from "../types/at.ts";
import { findBestPaths, measureOf } from "./best_paths.ts";
import { Bounds } from "./bounds.ts";
import { joinCosts, TIE } from "./figures.ts";
import { costAt, numberAt } from "./read.ts";
import { PathFlow, type Separation } from "./flow.ts";
import { costOfPath, type NumberedPath, type Search } from "./search.ts";

/** The best paths within limits, of which sets are tried: more prove more sets the best, and take longer to find. */
const MAX_CANDIDATES = { sum: 128, widest: 64 };

/** Sets that are tried at most, some milliseconds. */
const MAX_TRIES = 50_000;

/** What was found. */
export interface PathSet {
  /** The cheapest first. */
  readonly paths: readonly NumberedPath[];
  /** Is there certainly no better set? */
  readonly isExact: boolean;
}

/** What to look for. */
export interface DisjointOptions {
  /** At most so many paths, ≥ 1. */
  readonly count: number;
  readonly separation: Separation;
  /** How many of the best paths within limits are tried in sets; default {@link MAX_CANDIDATES}. */
  readonly candidates?: number;
}

/** Finds the set. */
export function findDisjointPaths(search: Search, options: DisjointOptions): PathSet {
  if (options.count === 1) return findBestPaths(search, { count: 1, parallel: "all" });
  const isFree = search.via.length === 0;
  const flow = !isFree ? [] : search.joining === "sum" ? findCheapest(search, options) : findWidest(search, options);
  const fitting = flow.filter((path) => fits(path, search));
  if (isFree && fitting.length === flow.length) return { paths: byCost(fitting), isExact: search.budget.steps > 0 };
  // No limit lets more paths in than there are without.
  const within = isFree && search.budget.steps > 0 ? { ...options, count: flow.length } : options;
  return findWithinLimits(search, { ...within, fitting });
}

/** One of the best sets, and often certainly the best: the best paths in all their sets, and two sets that are good. */
function findWithinLimits(
  search: Search,
  options: DisjointOptions & { readonly fitting: readonly NumberedPath[] },
): PathSet {
  // Of the widest paths each limit of cost has its own.
  const bounds = search.joining === "sum" ? { bounds: new Bounds(search, measureOf(search)) } : {};
  const count = options.candidates ?? MAX_CANDIDATES[search.joining];
  const { paths: best, isExact, areAll } = findBestPaths(search, { count, parallel: "all", ...bounds });
  const good = [options.fitting, areAll ? [] : findOneByOne(search, { ...options, ...bounds })];
  const others = good.flat().filter((path) => !best.some((one) => isSame(one, path)));
  const unknown = areAll ? Infinity : isExact ? at(best, -1).cost : 0;
  const set = bestSet(byCost([...best, ...others]), { search, ...options, unknown });
  if (set.isExact) return set;
  return {
    ...set,
    paths: good.reduce((best, one) => isBetter(one, { than: best, search }) ? byCost(one) : best, set.paths),
  };
}

/** Adds paths to a flow up to a count, and says how many it has then. */
function grow(flow: PathFlow, { from, to }: { readonly from: number; readonly to: number }): number {
  let size = from;
  while (size < to && flow.grow()) size++;
  return size;
}

function pathsOf(flow: PathFlow, search: Search): NumberedPath[] {
  return flow.paths().map((path) => ({ ...path, cost: costOfPath(path, search) }));
}

/** The cheapest set, whatever the length of its paths. */
function findCheapest(search: Search, { count, separation }: DisjointOptions): NumberedPath[] {
  const flow = new PathFlow(search, { values: search.costs, limit: Number.MAX_VALUE, separation });
  grow(flow, { from: 0, to: count });
  return pathsOf(flow, search);
}

/** The set whose narrowest transport is as wide as can be, and of those the one with the fewest hops. */
function findWidest(search: Search, { count: wanted, separation }: DisjointOptions): NumberedPath[] {
  // Each path leaves and arrives over another transport: so many at most, and so wide at most. Mostly that is the answer.
  const prices = [search.source, search.destination].map((visor) => pricesAt(visor, search));
  const count = Math.min(wanted, ...prices.map(({ length }) => length));
  if (count === 0) return [];
  const within = (cost: number): PathFlow =>
    new PathFlow(search, { values: search.ties, limit: cost - cost % TIE + TIE - 1, separation });
  let flow = within(Math.max(...prices.map((list) => at(list, count - 1))));
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
  for (let i = 1; i < 2 * graph.degree(visor); i += 2) prices.push(costAt(costs, numberAt(arcs, i)));
  return prices.filter((price) => price !== Infinity).sort((a, b) => a - b);
}

/**
 * Tries every set of candidates, which come by rising cost. Paths that are not among them cost `unknown` at least, and
 * there are none when that is Infinity; so the best set is known if none would be better with such paths that share
 * nothing with any other.
 */
function bestSet(
  candidates: readonly NumberedPath[],
  { search: { joining }, count, separation, unknown }: DisjointOptions & {
    readonly search: Search;
    readonly unknown: number;
  },
): PathSet {
  const conflicts = candidates.map((one, i) =>
    candidates.slice(0, i).map((other) => areJoined(one, { other, separation }))
  );
  const join = (cost: number, { more, times }: { readonly more: number; readonly times: number }): number => {
    for (let n = 0; n < times; n++) cost = joinCosts(cost, { b: more, joining });
    return cost;
  };
  /** Of two that are equally wide, what follows may still have fewer hops together. */
  const withoutTies = (cost: number): number => joining === "sum" ? cost : cost - cost % TIE;
  let best: number[] = [], bestCost = 0, tries = 0, least = Infinity;
  const choose = (from: number, { chosen, cost }: { readonly chosen: number[]; readonly cost: number }): void => {
    if (chosen.length > best.length || (chosen.length === best.length && cost < bestCost)) {
      best = chosen;
      bestCost = cost;
    }
    if (chosen.length === count) return;
    if (unknown !== Infinity) {
      least = Math.min(least, withoutTies(join(cost, { more: unknown, times: count - chosen.length })));
    }
    for (let i = from; i < candidates.length && tries < MAX_TRIES; i++) {
      tries++;
      const candidate = at(candidates, i), conflicting = at(conflicts, i);
      const most = Math.min(count, chosen.length + candidates.length - i);
      if (most < best.length) return;
      const atLeast = withoutTies(join(cost, { more: candidate.cost, times: best.length - chosen.length }));
      if (most === best.length && atLeast >= bestCost) return;
      if (chosen.some((other) => conflicting[other])) continue;
      choose(i + 1, { chosen: [...chosen, i], cost: join(cost, { more: candidate.cost, times: 1 }) });
    }
  };
  choose(0, { chosen: [], cost: 0 });
  const isBest = unknown === Infinity || (best.length === count && least >= bestCost);
  return { paths: best.map((i) => at(candidates, i)), isExact: isBest && tries < MAX_TRIES };
}

/** The best path, then the best one that shares nothing with it, and so on. */
function findOneByOne(
  search: Search,
  { count, separation, ...bounds }: DisjointOptions & { readonly bounds?: Bounds },
): NumberedPath[] {
  const costs = search.costs.slice();
  const paths: NumberedPath[] = [];
  const { graph } = search;
  while (paths.length < count) {
    const [path] = findBestPaths({ ...search, costs }, { count: 1, parallel: "best", ...bounds }).paths;
    if (path === undefined) break;
    paths.push(path);
    for (const transport of path.transports) costs[transport] = Infinity;
    if (separation === "links") continue;
    for (const visor of path.visors.slice(1, -1)) {
      const arcs = graph.arcs(visor);
      for (let i = 0; i < 2 * graph.degree(visor); i += 2) costs[numberAt(arcs, i + 1)] = Infinity;
    }
  }
  return paths;
}

function areJoined(
  path: NumberedPath,
  { other, separation }: { readonly other: NumberedPath; readonly separation: Separation },
): boolean {
  return separation === "links"
    ? path.transports.some((transport) => other.transports.includes(transport))
    : path.visors.length === 2 && other.visors.length === 2 ||
      path.visors.slice(1, -1).some((visor) => other.visors.includes(visor));
}

function isSame({ transports }: NumberedPath, other: NumberedPath): boolean {
  return transports.length === other.transports.length && transports.every((one, i) => one === other.transports[i]);
}

function fits({ transports }: NumberedPath, { minHops, maxHops }: Search): boolean {
  return transports.length >= minHops && transports.length <= maxHops;
}

function isBetter(
  set: readonly NumberedPath[],
  { than, search }: { readonly than: readonly NumberedPath[]; readonly search: Search },
): boolean {
  const costOf = (paths: readonly NumberedPath[]): number =>
    paths.reduce((cost, path) => joinCosts(cost, { b: path.cost, joining: search.joining }), 0);
  return set.length > than.length || (set.length === than.length && costOf(set) < costOf(than));
}

function byCost(paths: readonly NumberedPath[]): NumberedPath[] {
  return [...paths].sort((a, b) => a.cost - b.cost);
}
