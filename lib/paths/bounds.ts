/**
 * The least that the rest of a route can cost, for every visor and every number of hops already gone: what leads a search
 * to its destination and tells it early that there is none.
 *
 * A rest may come to a visor twice, so it can be cheaper than any that a route has, never dearer. Visors to be passed in
 * order make stages: a state is a visor and how many of those were passed, `stage * bound + visor`.
 *
 * Row by row (Bellman and Ford): what costs how much with at most 0, 1, 2 … hops left, until nothing changes any more;
 * then, for a least number of hops, rows in which another hop must follow. A row is filled only where a route can be after
 * so many hops: under a tight limit most of a large map is never looked at. Tested in tests/paths/query_test.ts.
 */

import { at } from "../types/at.ts";
import { joinCosts } from "./figures.ts";
import { Heap } from "./heap.ts";
import { costAt, numberAt } from "./read.ts";
import { MAX_SEARCH_HOPS, type Measure, type Search } from "./search.ts";

/** A limit of so many hops or more hardly ever stands against a route: one row without limits does. */
const LOOSE_HOPS = 16;

/** States of a row that are made and looked through in the time of a step. */
const STATES_PER_STEP = 8;

/** A row for where nothing may follow. */
const NO_REST = new Float64Array(0);

/** See the top of the file. */
export class Bounds {
  readonly #search: Search;
  readonly #measure: Measure;
  readonly #states: number;
  readonly #minHops: number;
  readonly #isLoose: boolean;
  /** For each visor where it is in `via`, or -1. */
  readonly #place: Int8Array;
  readonly #isAvoided: Uint8Array;
  /** The least hops from the source to each visor; counted to half the limit, one more for all others. */
  readonly #hopsTo: Uint8Array;
  /** Least costs with at most so many hops left; the last one holds for any more. */
  readonly #atMost: Float64Array[] = [];
  /** Least costs after so many hops, as long as the least number is not reached. */
  readonly #before: Float64Array[] = [];

  /** Fills all rows: some steps over each transport. */
  constructor(search: Search, measure: Measure) {
    this.#search = search;
    this.#measure = measure;
    const { bound } = search.graph;
    this.#states = bound * (search.via.length + 1);
    this.#place = new Int8Array(bound).fill(-1);
    search.via.forEach((visor, place) => this.#place[visor] = place);
    this.#isAvoided = new Uint8Array(bound);
    for (const visor of search.avoid) this.#isAvoided[visor] = 1;
    // Between two visors one hop is the least anyway.
    this.#minHops = search.minHops > 1 ? search.minHops : 0;
    this.#isLoose = this.#minHops === 0 && search.maxHops >= LOOSE_HOPS;
    this.#hopsTo = this.#isLoose ? new Uint8Array(bound) : countHops(search, Math.floor(search.maxHops / 2));
    if (this.#isLoose) this.#fillLoose();
    else this.#fillAtMost(search.maxHops - this.#minHops);
    for (let hops = this.#minHops - 1; hops >= 0 && search.budget.steps > 0; hops--) {
      this.#before[hops] = this.#oneMore(hops);
    }
  }

  /** The least costs of what may follow after so many hops, by state; not to be changed. */
  after(hops: number): Float64Array {
    const { maxHops } = this.#search;
    if (hops < this.#minHops) return this.#before[hops] ?? NO_REST;
    return this.#atMost[Math.min(maxHops - hops, this.#atMost.length - 1)] ?? NO_REST;
  }

  /** The state after a step into a visor at some stage; undefined when it must not be entered then. */
  enter(visor: number, stage: number): number | undefined {
    if (this.#isAvoided[visor] === 1 || visor === this.#search.source) return undefined;
    const place = this.#place[visor] ?? -1;
    if (place < 0) return stage * this.#search.graph.bound + visor;
    return place === stage ? (stage + 1) * this.#search.graph.bound + visor : undefined;
  }

  /** One row for any number of hops (Dijkstra). */
  #fillLoose(): void {
    const { graph, destination, via, budget } = this.#search;
    const costs = new Float64Array(this.#states).fill(Infinity), isSettled = new Uint8Array(this.#states);
    const heap = new Heap();
    const end = via.length * graph.bound + destination;
    costs[end] = 0;
    heap.push(end, 0);
    const cheaper = (state: number): void => heap.push(state, costAt(costs, state));
    for (let state = heap.pop(); state !== undefined && budget.steps > 0; state = heap.pop()) {
      if (isSettled[state] === 1) continue;
      isSettled[state] = 1;
      this.#stepBack(state, { before: costs, costs, gone: MAX_SEARCH_HOPS, cheaper });
    }
    this.#atMost.push(costs);
  }

  #fillAtMost(hops: number): void {
    const { graph, destination, via, budget } = this.#search;
    const first = new Float64Array(this.#states).fill(Infinity);
    const end = via.length * graph.bound + destination;
    first[end] = 0;
    this.#atMost.push(first);
    let changed = [end];
    for (let row = 1; row <= hops && changed.length > 0 && budget.steps > 0; row++) {
      this.#payForRow();
      const before = at(this.#atMost, row - 1), costs = before.slice();
      changed = this.#relax(changed, { before, costs, gone: this.#search.maxHops - row });
      if (changed.length > 0) this.#atMost.push(costs);
    }
  }

  #oneMore(gone: number): Float64Array {
    this.#payForRow();
    const before = this.after(gone + 1);
    const costs = new Float64Array(this.#states).fill(Infinity);
    const known: number[] = [];
    for (let state = 0; state < before.length; state++) if (before[state] !== Infinity) known.push(state);
    this.#relax(known, { before, costs, gone });
    return costs;
  }

  /** Steps back from states; gives the states that became cheaper. */
  #relax(
    states: readonly number[],
    row: { readonly before: Float64Array; readonly costs: Float64Array; readonly gone: number },
  ): number[] {
    const listed: number[] = [];
    const isListed = new Uint8Array(this.#states);
    const cheaper = (state: number): void => {
      if (isListed[state] === 1) return;
      isListed[state] = 1;
      listed.push(state);
    };
    for (const state of states) {
      if (this.#search.budget.steps <= 0) break;
      this.#stepBack(state, { ...row, cheaper });
    }
    return listed;
  }

  /** Making a row and looking it through costs as much as so many steps, however few of its states count. */
  #payForRow(): void {
    this.#search.budget.steps -= this.#states / STATES_PER_STEP;
  }

  /** Steps back from a state over every transport, and tells which states became cheaper. */
  #stepBack(
    state: number,
    { before, costs, gone, cheaper }: {
      readonly before: Float64Array;
      readonly costs: Float64Array;
      /** Hops that come before this row. */
      readonly gone: number;
      readonly cheaper: (state: number) => void;
    },
  ): void {
    const { graph, costs: prices, source, destination, budget } = this.#search;
    const { values, isMaximum, most } = this.#measure;
    const { bound } = graph;
    const visor = state % bound, cost = costAt(before, state);
    // No route goes on from its destination, or passes its source.
    if (visor === source) return;
    const place = this.#place[visor] ?? -1;
    const stage = place < 0 ? (state - visor) / bound : place;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    budget.steps -= end / 2;
    for (let i = 0; i < end; i += 2) {
      const neighbour = numberAt(arcs, i), transport = numberAt(arcs, i + 1);
      if ((this.#hopsTo[neighbour] ?? 0) > gone || costAt(prices, transport) > most) continue;
      if (this.#isAvoided[neighbour] === 1 || neighbour === destination) continue;
      const itsPlace = this.#place[neighbour] ?? -1;
      if (neighbour === source ? stage !== 0 : itsPlace >= 0 && itsPlace !== stage - 1) continue;
      const value = costAt(values, transport);
      const through = isMaximum ? joinCosts(value, { b: cost, joining: "widest" }) : value + cost;
      const from = stage * bound + neighbour;
      if (through >= costAt(costs, from)) continue;
      costs[from] = through;
      cheaper(from);
    }
  }
}

function countHops({ graph, costs, source, budget }: Search, most: number): Uint8Array {
  const hopsTo = new Uint8Array(graph.bound).fill(most + 1);
  hopsTo[source] = 0;
  let reached = [source];
  for (let hops = 1; hops <= most; hops++) {
    const next: number[] = [];
    for (const visor of reached) {
      const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
      budget.steps -= end / 2;
      for (let i = 0; i < end; i += 2) {
        const neighbour = numberAt(arcs, i);
        if ((hopsTo[neighbour] ?? 0) <= most || costAt(costs, numberAt(arcs, i + 1)) === Infinity) continue;
        hopsTo[neighbour] = hops;
        next.push(neighbour);
      }
    }
    reached = next;
  }
  return hopsTo;
}
