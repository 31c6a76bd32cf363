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
 */

import { Bounds, joinBound, joinRest } from "./bounds.ts";
import { joinCosts, TIE_HOP } from "./figures.ts";
import { Heap } from "./heap.ts";
import type { Path, Search } from "./search.ts";

/** Beginnings that are remembered, which bounds the memory to about 50 MB. */
const MAX_BEGINNINGS = 500_000;

/** Which of several transports between the same visors. */
export interface PathOptions {
  /** `best`: paths over different visors, each hop over the cheapest transport; `all`: over every one. */
  readonly parallel: "best" | "all";
  /** Of the same question with perhaps fewer restrictions; made when absent. */
  readonly bounds?: Bounds;
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
export class BestPaths {
  readonly #search: Search;
  readonly #parallel: "best" | "all";
  readonly #bounds: Bounds;
  /** How many hops are left at least, for ties of the widest paths. */
  readonly #hopsLeft: Int32Array | undefined;
  readonly #beginnings: Beginning[] = [];
  readonly #waiting = new Heap();
  /** In which turn a visor was passed by the beginning at hand, or reached by a search around it. */
  readonly #passed: Int32Array;
  readonly #reached: Int32Array;
  readonly #queue: Int32Array;
  #turn = 0;
  #isExhausted = false;

  /** Looks for nothing yet but the bounds. */
  constructor(search: Search, options: PathOptions) {
    const { graph, source, joining } = search;
    this.#search = search;
    this.#parallel = options.parallel;
    this.#bounds = options.bounds ?? new Bounds(search);
    this.#passed = new Int32Array(graph.bound);
    this.#reached = new Int32Array(graph.bound);
    this.#queue = new Int32Array(graph.bound);
    this.#hopsLeft = joining === "widest" ? this.#countHops() : undefined;
    this.#wait({ visor: source, transport: -1, before: undefined, hops: 0, stage: 0, cost: 0 }, source);
  }

  /** Are there certainly no more? False when the budget ended the search. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** The next path; undefined when there is none, or the budget is used up. */
  next(): Path | undefined {
    const { destination, budget } = this.#search;
    while (budget.steps > 0 && this.#beginnings.length < MAX_BEGINNINGS) {
      const number = this.#waiting.pop();
      if (number === undefined) {
        this.#isExhausted = true;
        return undefined;
      }
      const beginning = this.#beginnings[number]!;
      if (beginning.visor === destination) return pathOf(beginning);
      this.#turn++;
      for (let at: Beginning | undefined = beginning; at !== undefined; at = at.before) {
        this.#passed[at.visor] = this.#turn;
      }
      if (this.#canFinish(beginning)) this.#continue(beginning);
    }
    return undefined;
  }

  #continue(beginning: Beginning): void {
    const { graph, costs, joining, budget } = this.#search;
    const arcs = graph.arcs(beginning.visor), end = 2 * graph.degree(beginning.visor);
    budget.steps -= end / 2;
    const hops = beginning.hops + 1;
    for (let i = 0; i < end;) {
      const visor = arcs[i]!;
      let transport = arcs[i + 1]!;
      i += 2;
      if (this.#parallel === "best") {
        for (; i < end && arcs[i] === visor; i += 2) {
          if (costs[arcs[i + 1]!]! < costs[transport]!) transport = arcs[i + 1]!;
        }
      }
      if (costs[transport] === Infinity || this.#passed[visor] === this.#turn) continue;
      const state = this.#bounds.enter(visor, beginning.stage);
      if (state === undefined) continue;
      const cost = joinCosts(beginning.cost, { b: costs[transport]!, joining });
      const stage = (state - visor) / graph.bound;
      this.#wait({ visor, transport, before: beginning, hops, stage, cost }, state);
    }
  }

  #wait(beginning: Beginning, state: number): void {
    const { minHops, maxHops, joining } = this.#search;
    if (beginning.hops > maxHops) return;
    const rest = this.#bounds.after(beginning.hops)[state]!;
    if (rest === Infinity) return;
    const left = this.#hopsLeft?.[beginning.visor] ?? 0;
    const tie = TIE_HOP * Math.max(minHops - beginning.hops, left);
    this.#waiting.push(this.#beginnings.length, joinBound(beginning.cost, { rest, joining, tie }));
    this.#beginnings.push(beginning);
  }

  /** False only if nothing leads on to the next visor that must be reached. */
  #canFinish(beginning: Beginning): boolean {
    return this.#isCheapestRestFree(beginning) || this.#isReachable(beginning);
  }

  /** Follows the cheapest rest, and says whether it stays clear of what was passed. */
  #isCheapestRestFree(beginning: Beginning): boolean {
    const { graph, costs, joining, destination, maxHops } = this.#search;
    let { visor, stage, hops } = beginning;
    while (visor !== destination) {
      const wanted = this.#bounds.after(hops)[stage * graph.bound + visor]!;
      const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
      let next: number | undefined;
      if (++hops > maxHops) return false;
      const rests = this.#bounds.after(hops);
      for (let i = 0; i < end && next === undefined; i += 2) {
        if (this.#passed[arcs[i]!] === this.#turn) continue;
        const state = this.#bounds.enter(arcs[i]!, stage);
        if (state === undefined || rests[state] === Infinity) continue;
        if (joinRest(costs[arcs[i + 1]!]!, { rest: rests[state]!, joining }) === wanted) next = state;
      }
      if (next === undefined) return false;
      visor = next % graph.bound;
      stage = (next - visor) / graph.bound;
    }
    return true;
  }

  #isReachable(beginning: Beginning): boolean {
    const { graph, costs, via, destination, maxHops, budget } = this.#search;
    const goal = via[beginning.stage] ?? destination;
    let length = 0, from = 0;
    this.#queue[length++] = beginning.visor;
    this.#reached[beginning.visor] = this.#turn;
    for (let hops = beginning.hops; hops < maxHops && from < length; hops++) {
      for (const until = length; from < until; from++) {
        const arcs = graph.arcs(this.#queue[from]!), end = 2 * graph.degree(this.#queue[from]!);
        budget.steps -= end / 2;
        for (let i = 0; i < end; i += 2) {
          const visor = arcs[i]!;
          if (this.#passed[visor] === this.#turn || this.#reached[visor] === this.#turn) continue;
          if (costs[arcs[i + 1]!] === Infinity || this.#bounds.enter(visor, beginning.stage) === undefined) continue;
          if (visor === goal) return true;
          if (visor === destination) continue;
          this.#reached[visor] = this.#turn;
          this.#queue[length++] = visor;
        }
      }
    }
    return false;
  }

  /** Hops from every visor to the destination, whatever they cost. */
  #countHops(): Int32Array {
    const { graph, costs, destination, budget } = this.#search;
    const hops = new Int32Array(graph.bound).fill(-1);
    let length = 0;
    this.#queue[length++] = destination;
    hops[destination] = 0;
    for (let at = 0; at < length; at++) {
      const visor = this.#queue[at]!;
      const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
      budget.steps -= end / 2;
      for (let i = 0; i < end; i += 2) {
        if (hops[arcs[i]!] !== -1 || costs[arcs[i + 1]!] === Infinity) continue;
        hops[arcs[i]!] = hops[visor]! + 1;
        this.#queue[length++] = arcs[i]!;
      }
    }
    return hops;
  }
}

function pathOf(last: Beginning): Path {
  const visors: number[] = [], transports: number[] = [];
  for (let at: Beginning | undefined = last; at !== undefined; at = at.before) {
    visors.push(at.visor);
    if (at.before !== undefined) transports.push(at.transport);
  }
  return { visors: visors.reverse(), transports: transports.reverse(), cost: last.cost };
}
