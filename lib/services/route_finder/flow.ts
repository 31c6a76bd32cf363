/**
 * Paths that share no transport, or no visor between their ends: as many as wanted, and together as cheap as can be.
 *
 * A flow of so many units with the least cost, by successive cheapest augmenting paths (Suurballe 1974; Ahuja, Magnanti,
 * Orlin, Network Flows, 1993, §9.7). An augmenting path may go backwards over a transport of an earlier path, which takes
 * that transport back: so the second path is found also where the best path alone would block it.
 *
 * Every visor is two states, in front of it (2v) and behind it (2v+1); for paths that share no visor, only one unit may go
 * from one to the other. Distances to the destination, known near it and bounded from below elsewhere, lead the searches:
 * most of a large map is never looked at.
 */

import { Heap } from "./heap.ts";
import type { Path, Search } from "./search.ts";

/** Visors around the destination whose distances are found first: as many as a search from the source looks at, or so. */
const NEAR_VISORS = 500;

/** What paths must not share. */
export type Separation = "links" | "visors";

/** What a flow needs of a question; costs are added up. */
export type FlowSearch = Pick<Search, "graph" | "costs" | "source" | "destination" | "avoid" | "budget">;

/** A flow that grows by one path at a time. */
export class PathFlow {
  readonly #search: FlowSearch;
  readonly #separation: Separation;
  /** By state: a lower bound of the reduced distance to the destination. */
  readonly #potential: Float64Array;
  readonly #distance: Float64Array;
  readonly #isSettled: Uint8Array;
  readonly #touched: number[] = [];
  readonly #before: Int32Array;
  readonly #over: Int32Array;
  /** From which visor a transport is used; -1: not at all. */
  readonly #usedFrom: Int32Array;
  /** How many units come to a visor. */
  readonly #through: Int32Array;
  readonly #isAvoided: Uint8Array;
  readonly #heap = new Heap();

  /** Finds the distances near the destination. */
  constructor(search: FlowSearch, separation: Separation) {
    const { graph, avoid } = search;
    this.#search = search;
    this.#separation = separation;
    const states = 2 * graph.bound;
    this.#distance = new Float64Array(states).fill(Infinity);
    this.#isSettled = new Uint8Array(states);
    this.#before = new Int32Array(states);
    this.#over = new Int32Array(states);
    this.#usedFrom = new Int32Array(graph.transportBound).fill(-1);
    this.#through = new Int32Array(graph.bound);
    this.#isAvoided = new Uint8Array(graph.bound);
    for (const visor of avoid) this.#isAvoided[visor] = 1;
    this.#potential = this.#distancesToDestination();
  }

  /** Adds a path, perhaps changing those before. False when there are no more, or the budget is used up. */
  grow(): boolean {
    const { source, destination, budget } = this.#search;
    const end = 2 * destination;
    if (this.#potential[2 * source] === Infinity) return false;
    for (const state of this.#touched) {
      this.#distance[state] = Infinity;
      this.#isSettled[state] = 0;
    }
    this.#touched.length = 0;
    this.#heap.clear();
    this.#reach(2 * source + 1, { distance: 0, before: -1, over: -1 });
    let isFound = false;
    while (!isFound && budget.steps > 0) {
      const state = this.#heap.pop();
      if (state === undefined) break;
      if (this.#isSettled[state] === 1) continue;
      this.#isSettled[state] = 1;
      if (state === end) isFound = true;
      else if (state % 2 === 1) this.#leave(state >> 1);
      else this.#stop(state >> 1);
    }
    if (!isFound) return false;
    const reached = this.#distance[end]!;
    for (const state of this.#touched) {
      if (this.#isSettled[state] === 1) this.#potential[state]! += reached - this.#distance[state]!;
    }
    this.#use(end);
    return true;
  }

  /** The paths, in no order. */
  paths(): Path[] {
    const { graph, costs, source, destination } = this.#search;
    const used = this.#usedFrom.slice();
    const paths: Path[] = [];
    while (true) {
      const visors = [source], transports: number[] = [];
      for (let visor = source; visor !== destination;) {
        const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
        let i = 0;
        while (i < end && used[arcs[i + 1]!] !== visor) i += 2;
        if (i === end) return paths;
        used[arcs[i + 1]!] = -1;
        transports.push(arcs[i + 1]!);
        visor = arcs[i]!;
        visors.push(visor);
      }
      paths.push({ visors, transports, cost: transports.reduce((sum, transport) => sum + costs[transport]!, 0) });
    }
  }

  /** From behind a visor over transports, or back through it. */
  #leave(visor: number): void {
    const { graph, costs, source, budget } = this.#search;
    const state = 2 * visor + 1, distance = this.#distance[state]!, potential = this.#potential[state]!;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    budget.steps -= end / 2;
    for (let i = 0; i < end; i += 2) {
      const to = arcs[i]!, transport = arcs[i + 1]!;
      if (this.#usedFrom[transport] !== -1 || to === source || this.#isAvoided[to] === 1) continue;
      const reduced = costs[transport]! - potential + this.#potential[2 * to]!;
      if (distance + reduced < this.#distance[2 * to]!) {
        this.#reach(2 * to, { distance: distance + reduced, before: state, over: transport });
      }
    }
    if (this.#through[visor]! > 0) this.#cross(state, 2 * visor);
  }

  /** From the front of a visor through it, or back over a transport by which a unit comes. */
  #stop(visor: number): void {
    const { graph, costs, source } = this.#search;
    const state = 2 * visor, distance = this.#distance[state]!, potential = this.#potential[state]!;
    if (this.#separation === "links" || this.#through[visor] === 0) this.#cross(state, state + 1);
    if (this.#through[visor] === 0) return;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    for (let i = 0; i < end; i += 2) {
      const to = arcs[i]!, transport = arcs[i + 1]!;
      if (this.#usedFrom[transport] !== to || to === source) continue;
      const reduced = this.#potential[2 * to + 1]! - costs[transport]! - potential;
      if (distance + reduced < this.#distance[2 * to + 1]!) {
        this.#reach(2 * to + 1, { distance: distance + reduced, before: state, over: transport });
      }
    }
  }

  #cross(from: number, to: number): void {
    const distance = this.#distance[from]! + this.#potential[to]! - this.#potential[from]!;
    if (distance < this.#distance[to]!) this.#reach(to, { distance, before: from, over: -1 });
  }

  #reach(
    state: number,
    { distance, before, over }: { readonly distance: number; readonly before: number; readonly over: number },
  ): void {
    if (this.#distance[state] === Infinity) this.#touched.push(state);
    this.#distance[state] = distance;
    this.#before[state] = before;
    this.#over[state] = over;
    this.#heap.push(state, distance);
  }

  /** Uses the transports of the augmenting path, and frees those that it goes back over. */
  #use(end: number): void {
    for (let state = end; state !== -1; state = this.#before[state]!) {
      const transport = this.#over[state]!;
      if (transport === -1) continue;
      const before = this.#before[state]!;
      if (before % 2 === 1) {
        this.#usedFrom[transport] = before >> 1;
        this.#through[state >> 1]!++;
      } else {
        this.#usedFrom[transport] = -1;
        this.#through[before >> 1]!--;
      }
    }
  }

  #distancesToDestination(): Float64Array {
    const { graph, costs, source, destination, budget } = this.#search;
    const distances = new Float64Array(graph.bound).fill(Infinity);
    const isSettled = new Uint8Array(graph.bound);
    distances[destination] = 0;
    this.#heap.push(destination, 0);
    let settled = 0, least = 0;
    while (settled < NEAR_VISORS && this.#heap.size > 0) {
      least = this.#heap.least;
      const visor = this.#heap.pop()!;
      if (isSettled[visor] === 1) continue;
      isSettled[visor] = 1;
      settled++;
      if (visor === source) continue;
      const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
      budget.steps -= end / 2;
      for (let i = 0; i < end; i += 2) {
        const distance = distances[visor]! + costs[arcs[i + 1]!]!;
        if (this.#isAvoided[arcs[i]!] === 1 || distance >= distances[arcs[i]!]!) continue;
        distances[arcs[i]!] = distance;
        this.#heap.push(arcs[i]!, distance);
      }
    }
    // Nothing that is not settled is nearer than the last one that is; when all is settled, the rest cannot be reached.
    const beyond = this.#heap.size === 0 ? Infinity : least;
    const potential = new Float64Array(2 * graph.bound);
    for (let visor = 0; visor < graph.bound; visor++) {
      potential[2 * visor] = potential[2 * visor + 1] = isSettled[visor] === 1 ? distances[visor]! : beyond;
    }
    return potential;
  }
}
