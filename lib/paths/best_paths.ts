/**
 * Paths without loops, the best one first, one after the other.
 *
 * Beginnings of paths wait by the least cost that a whole path with that beginning can have ({@link Bounds}). The least
 * one is taken, of equals the one that came last, and continued by every neighbour that it has not passed. The first whole
 * path that is taken is the best of all, the next one the second best (A* over simple paths).
 *
 * Where the cheapest rest of a beginning leads through a visor of that beginning, its bound says little; then a search
 * around those visors tells whether there is any rest at all, so that dead ends are left at once. Whether there is one with
 * a least number of hops is a hard question: a budget of work ends the search in odd graphs.
 *
 * For the widest paths the largest cost counts, and many paths have the same. So they are looked for limit by limit: the
 * paths with the fewest hops over transports that cost no more than that.
 */

import { at } from "../types/at.ts";
import { Bounds } from "./bounds.ts";
import { TIE } from "./figures.ts";
import { Heap } from "./heap.ts";
import { costAt, numberAt } from "./read.ts";
import { costOfPath, type Measure, type NumberedPath, type Search } from "./search.ts";

/** Beginnings that are remembered, which bounds the memory to about 50 MB. */
const MAX_BEGINNINGS = 500_000;

/** Visors for which a search makes room in the time of a step. */
const VISORS_PER_STEP = 8;

/** How to look for paths. */
export interface PathOptions {
  /** Of transports between the same visors: `best`: paths over different visors; `all`: every transport is another path. */
  readonly parallel: "best" | "all";
  /** Of the same question with perhaps fewer restrictions; made when absent. */
  readonly bounds?: Bounds;
}

/** What was found. */
export interface PathList {
  /** The best first. */
  readonly paths: readonly NumberedPath[];
  /** Are there certainly no better ones? False when the budget ended the search. */
  readonly isExact: boolean;
  /** Are these all that there are? */
  readonly areAll: boolean;
}

/** Finds the best paths, at most so many. */
export function findBestPaths(search: Search, options: PathOptions & { readonly count: number }): PathList {
  if (search.joining === "widest") return findWidestPaths(search, options);
  const best = new BestPaths(search, { ...options, measure: measureOf(search) });
  const paths: NumberedPath[] = [];
  while (paths.length < options.count) {
    const path = best.next();
    if (path === undefined) return { paths, isExact: best.isExhausted, areAll: best.isExhausted };
    paths.push(path);
  }
  return { paths, isExact: true, areAll: false };
}

function findWidestPaths(search: Search, { count, parallel }: PathOptions & { readonly count: number }): PathList {
  const { source, budget } = search;
  const over = (limit: number): BestPaths =>
    new BestPaths(search, { parallel, measure: { values: search.ties, isMaximum: false, most: limit + TIE - 1 } });
  const least = costAt(new Bounds(search, measureOf(search)).after(0), source);
  const limits = limitsFrom(least, search);
  const paths: NumberedPath[] = [];
  for (let place = 0; place < limits.length && budget.steps > 0;) {
    const limit = at(limits, place);
    const fewestHops = over(limit);
    while (paths.length < count) {
      const path = fewestHops.next();
      if (path === undefined) break;
      // Those that are wider came before.
      if (widthOf(path, { search, parallel }) === limit) paths.push({ ...path, cost: costOfPath(path, search) });
    }
    if (paths.length === count) return { paths, isExact: true, areAll: false };
    // The next limit that lets a path more in; mostly it is near.
    const hasMore = (number: number): boolean => {
      const all = over(at(limits, number));
      for (let n = 0; n <= paths.length; n++) if (all.next() === undefined) return false;
      return true;
    };
    let low = place + 1, step = 1;
    while (low + step < limits.length && budget.steps > 0 && !hasMore(low + step)) {
      low += step + 1;
      step *= 2;
    }
    let high = Math.min(low + step, limits.length);
    while (low < high && budget.steps > 0) {
      const middle = (low + high) >> 1;
      if (hasMore(middle)) high = middle;
      else low = middle + 1;
    }
    place = high;
  }
  return { paths, isExact: budget.steps > 0, areAll: budget.steps > 0 };
}

/** All different costs of transports without their ties, from a least one on. */
function limitsFrom(least: number, { costs, budget }: Search): number[] {
  if (least === Infinity) return [];
  budget.steps -= costs.length;
  const from = least - least % TIE;
  const limits = new Set<number>();
  for (const cost of costs) if (cost >= from && cost !== Infinity) limits.add(cost - cost % TIE);
  return [...limits].sort((a, b) => a - b);
}

/** The cost of the narrowest hop without its ties, each hop over the widest transport where all that may are one path. */
function widthOf(
  { visors, transports }: NumberedPath,
  { search: { graph, costs }, parallel }: PathOptions & { readonly search: Search },
): number {
  const widest = Math.max(...transports.map((transport, hop) => {
    if (parallel === "all") return costAt(costs, transport);
    const visor = at(visors, hop), arcs = graph.arcs(visor);
    let least = costAt(costs, transport);
    for (let i = 0; i < 2 * graph.degree(visor); i += 2) {
      if (arcs[i] === visors[hop + 1]) least = Math.min(least, costAt(costs, numberAt(arcs, i + 1)));
    }
    return least;
  }));
  return widest - widest % TIE;
}

/** The measure that a question is about. */
export function measureOf({ costs, joining }: Search): Measure {
  return { values: costs, isMaximum: joining === "widest", most: Number.MAX_VALUE };
}

/** The first visors of a path, the last one first. */
interface Beginning {
  readonly visor: number;
  /** The transport to it. */
  readonly transport: number;
  readonly before: Beginning | undefined;
  readonly hops: number;
  readonly stage: number;
  readonly cost: number;
}

/** See the top of the file. */
class BestPaths {
  readonly #search: Search;
  readonly #measure: Measure;
  readonly #parallel: "best" | "all";
  readonly #bounds: Bounds;
  readonly #beginnings: Beginning[] = [];
  readonly #waiting = new Heap();
  /** In which turn a visor was passed by the beginning at hand, or reached by a search around it. */
  readonly #passed: Int32Array;
  readonly #reached: Int32Array;
  readonly #queue: Int32Array;
  #turn = 0;
  #isExhausted = false;

  /** Looks for nothing yet but the bounds. */
  constructor(search: Search, options: PathOptions & { readonly measure: Measure }) {
    const { graph, source } = search;
    this.#search = search;
    search.budget.steps -= graph.bound / VISORS_PER_STEP;
    this.#measure = options.measure;
    this.#parallel = options.parallel;
    this.#bounds = options.bounds ?? new Bounds(search, options.measure);
    this.#passed = new Int32Array(graph.bound);
    this.#reached = new Int32Array(graph.bound);
    this.#queue = new Int32Array(graph.bound);
    this.#wait({ visor: source, transport: -1, before: undefined, hops: 0, stage: 0, cost: 0 }, source);
  }

  /** Are there certainly no more? False when the budget ended the search. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** The next path; undefined when there is none, or the budget is used up. */
  next(): NumberedPath | undefined {
    const { destination, budget } = this.#search;
    while (budget.steps > 0 && this.#beginnings.length < MAX_BEGINNINGS) {
      const number = this.#waiting.pop();
      if (number === undefined) {
        this.#isExhausted = true;
        return undefined;
      }
      const beginning = at(this.#beginnings, number);
      if (beginning.visor === destination) return pathOf(beginning);
      this.#turn++;
      for (let one: Beginning | undefined = beginning; one !== undefined; one = one.before) {
        this.#passed[one.visor] = this.#turn;
      }
      if (this.#canFinish(beginning)) this.#continue(beginning);
    }
    return undefined;
  }

  #continue(beginning: Beginning): void {
    const { graph, costs, budget } = this.#search;
    const { values, most } = this.#measure;
    const arcs = graph.arcs(beginning.visor), end = 2 * graph.degree(beginning.visor);
    budget.steps -= end / 2;
    const hops = beginning.hops + 1;
    for (let i = 0; i < end;) {
      const visor = numberAt(arcs, i);
      let transport = -1;
      do {
        const other = numberAt(arcs, i + 1);
        if (costAt(costs, other) <= most && (transport < 0 || costAt(values, other) < costAt(values, transport))) {
          transport = other;
        }
        i += 2;
      } while (this.#parallel === "best" && i < end && arcs[i] === visor);
      if (transport < 0 || this.#passed[visor] === this.#turn) continue;
      const state = this.#bounds.enter(visor, beginning.stage);
      if (state === undefined) continue;
      const stage = (state - visor) / graph.bound;
      const cost = beginning.cost + costAt(values, transport);
      this.#wait({ visor, transport, before: beginning, hops, stage, cost }, state);
    }
  }

  #wait(beginning: Beginning, state: number): void {
    if (beginning.hops > this.#search.maxHops) return;
    const rest = costAt(this.#bounds.after(beginning.hops), state);
    if (rest === Infinity) return;
    this.#waiting.push(this.#beginnings.length, beginning.cost + rest);
    this.#beginnings.push(beginning);
  }

  /** False only if nothing leads on to the next visor that must be reached. */
  #canFinish(beginning: Beginning): boolean {
    return this.#isCheapestRestFree(beginning) || this.#isReachable(beginning);
  }

  /** Follows the cheapest rest, and says whether it stays clear of what was passed. */
  #isCheapestRestFree(beginning: Beginning): boolean {
    const { graph, costs, destination, maxHops, budget } = this.#search;
    const { values, most } = this.#measure;
    let { visor, stage, hops } = beginning;
    while (visor !== destination && budget.steps > 0) {
      const wanted = costAt(this.#bounds.after(hops), stage * graph.bound + visor);
      const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
      let next: number | undefined;
      if (++hops > maxHops) return false;
      const rests = this.#bounds.after(hops);
      let i = 0;
      for (; i < end && next === undefined; i += 2) {
        const transport = numberAt(arcs, i + 1);
        if (this.#passed[numberAt(arcs, i)] === this.#turn || costAt(costs, transport) > most) continue;
        const state = this.#bounds.enter(numberAt(arcs, i), stage);
        if (state === undefined || rests[state] === Infinity) continue;
        if (costAt(values, transport) + costAt(rests, state) === wanted) next = state;
      }
      budget.steps -= i / 2;
      if (next === undefined) return false;
      visor = next % graph.bound;
      stage = (next - visor) / graph.bound;
    }
    return true;
  }

  #isReachable(beginning: Beginning): boolean {
    const { graph, costs, via, destination, minHops, maxHops, budget } = this.#search;
    const goal = via[beginning.stage] ?? destination;
    let length = 0, from = 0;
    this.#queue[length++] = beginning.visor;
    this.#reached[beginning.visor] = this.#turn;
    for (let hops = beginning.hops; hops < maxHops && from < length; hops++) {
      // Before the least number of hops, a visor may be too early here that is not so later.
      const rests = hops + 1 < minHops ? undefined : this.#bounds.after(hops + 1);
      for (const until = length; from < until; from++) {
        const arcs = graph.arcs(numberAt(this.#queue, from)), end = 2 * graph.degree(numberAt(this.#queue, from));
        budget.steps -= end / 2;
        for (let i = 0; i < end; i += 2) {
          const visor = numberAt(arcs, i);
          if (this.#passed[visor] === this.#turn || this.#reached[visor] === this.#turn) continue;
          if (costAt(costs, numberAt(arcs, i + 1)) > this.#measure.most) continue;
          const state = this.#bounds.enter(visor, beginning.stage);
          if (state === undefined || rests?.[state] === Infinity) continue;
          if (visor === goal) return true;
          if (visor === destination) continue;
          this.#reached[visor] = this.#turn;
          this.#queue[length++] = visor;
        }
      }
    }
    return false;
  }
}

function pathOf(last: Beginning): NumberedPath {
  const visors: number[] = [], transports: number[] = [];
  for (let one: Beginning | undefined = last; one !== undefined; one = one.before) {
    visors.push(one.visor);
    if (one.before !== undefined) transports.push(one.transport);
  }
  return { visors: visors.reverse(), transports: transports.reverse(), cost: last.cost };
}
