/**
 * Paths that share no transport, or no visor between their ends: as many as wanted, and together as cheap as can be.
 *
 * A flow of so many units with the least cost, by successive cheapest augmenting paths (Suurballe 1974; Ahuja, Magnanti,
 * Orlin, Network Flows, 1993, §9.7). An augmenting path may go backwards over a transport of an earlier path, which takes
 * that transport back: so the second path is found also where the best path alone would block it.
 *
 * Every visor is two states, in front of it (2v) and behind it (2v+1); for paths that share no visor, only one unit may go
 * from one to the other. Each augmenting path is searched from both ends at once (Dijkstra), so that most of a large map
 * is never looked at, and that there is none is known as soon as either end has no way out.
 *
 * Reduced costs `cost - potential(from) + potential(to)` are never negative, and 0 on all paths found. When the searches
 * have met at distance R, the one from the source complete up to F and the other up to B = R - F, then
 * `min(b, B) - B + F - min(f, F)` is added to each potential, where f and b are a state's distances from the source and to
 * the destination: it is 0 for all that was not reached, and keeps both properties.
 */

import { Heap } from "./heap.ts";
import type { Measure, Path, Search } from "./search.ts";

/** What paths must not share. */
export type Separation = "links" | "visors";

/** What a flow needs of a question. */
export type FlowSearch = Pick<Search, "graph" | "costs" | "source" | "destination" | "avoid" | "budget">;

/** One of the two searches. */
class Side {
  readonly distance: Float64Array;
  /** The state next to this one on the way to the end where the search began, and the transport to it or -1. */
  readonly next: Int32Array;
  readonly over: Int32Array;
  readonly isSettled: Uint8Array;
  readonly touched: number[] = [];
  readonly heap = new Heap();

  constructor(states: number) {
    this.distance = new Float64Array(states).fill(Infinity);
    this.next = new Int32Array(states);
    this.over = new Int32Array(states);
    this.isSettled = new Uint8Array(states);
  }

  begin(state: number): void {
    for (const touched of this.touched) {
      this.distance[touched] = Infinity;
      this.isSettled[touched] = 0;
    }
    this.touched.length = 0;
    this.heap.clear();
    this.reach(state, { distance: 0, next: -1, over: -1 });
  }

  reach(
    state: number,
    { distance, next, over }: { readonly distance: number; readonly next: number; readonly over: number },
  ): void {
    if (this.distance[state] === Infinity) this.touched.push(state);
    this.distance[state] = distance;
    this.next[state] = next;
    this.over[state] = over;
    this.heap.push(state, distance);
  }
}

/** A flow that grows by one path at a time. */
export class PathFlow {
  readonly #search: FlowSearch;
  readonly #measure: Measure;
  readonly #separation: Separation;
  readonly #potential: Float64Array;
  readonly #forward: Side;
  readonly #backward: Side;
  /** From which visor a transport is used; -1: not at all. */
  readonly #usedFrom: Int32Array;
  /** How many units come to a visor. */
  readonly #through: Int32Array;
  readonly #isAvoided: Uint8Array;
  /** Where the searches met best, and the distance over there. */
  #meeting = -1;
  #reached = Infinity;

  /** Finds nothing yet. */
  constructor(
    search: FlowSearch,
    { measure, separation }: { readonly measure: Measure; readonly separation: Separation },
  ) {
    const { graph, avoid } = search;
    this.#search = search;
    this.#measure = measure;
    this.#separation = separation;
    const states = 2 * graph.bound;
    this.#potential = new Float64Array(states);
    this.#forward = new Side(states);
    this.#backward = new Side(states);
    this.#usedFrom = new Int32Array(graph.transportBound).fill(-1);
    this.#through = new Int32Array(graph.bound);
    this.#isAvoided = new Uint8Array(graph.bound);
    for (const visor of avoid) this.#isAvoided[visor] = 1;
  }

  /** Adds a path, perhaps changing those before. False when there are no more, or the budget is used up. */
  grow(): boolean {
    const { source, destination, budget } = this.#search;
    const forward = this.#forward, backward = this.#backward;
    this.#meeting = -1;
    this.#reached = Infinity;
    forward.begin(2 * source + 1);
    backward.begin(2 * destination);
    while (forward.heap.least + backward.heap.least < this.#reached && budget.steps > 0) {
      const isForward = forward.heap.size <= backward.heap.size;
      const side = isForward ? forward : backward;
      const state = side.heap.pop()!;
      if (side.isSettled[state] === 1) continue;
      side.isSettled[state] = 1;
      if (isForward) this.#stepForward(state);
      else this.#stepBackward(state);
    }
    if (this.#meeting < 0 || budget.steps <= 0) return false;
    this.#raisePotentials();
    this.#use();
    return true;
  }

  /**
   * How much a transport must be allowed to cost for another path to exist; Infinity when nothing helps. The smallest
   * largest cost of an augmenting path, searched from the source.
   */
  limitForMore(): number {
    const { graph, costs, source, destination, budget } = this.#search;
    const { distance, isSettled, heap } = this.#forward;
    const side = this.#forward;
    side.begin(2 * source + 1);
    const reach = (state: number, cost: number): void => {
      if (cost < distance[state]!) side.reach(state, { distance: cost, next: -1, over: -1 });
    };
    for (let state = heap.pop(); state !== undefined && budget.steps > 0; state = heap.pop()) {
      if (isSettled[state] === 1) continue;
      isSettled[state] = 1;
      const visor = state >> 1, isBehind = state % 2 === 1, isUsed = this.#through[visor]! > 0, cost = distance[state]!;
      if (visor === destination) return cost;
      if (isBehind ? isUsed : !isUsed || this.#separation === "links") reach(state ^ 1, cost);
      if (!isBehind && !isUsed) continue;
      const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
      budget.steps -= end / 2;
      for (let i = 0; i < end; i += 2) {
        const to = arcs[i]!, usedFrom = this.#usedFrom[arcs[i + 1]!]!;
        if (to === source || this.#isAvoided[to] === 1) continue;
        if (!isBehind && usedFrom === to) reach(2 * to + 1, cost);
        else if (isBehind && usedFrom === -1) reach(2 * to, Math.max(cost, costs[arcs[i + 1]!]!));
      }
    }
    return Infinity;
  }

  /** The paths, in no order. */
  paths(): Omit<Path, "cost">[] {
    const { graph, source, destination } = this.#search;
    const used = this.#usedFrom.slice();
    const paths: Omit<Path, "cost">[] = [];
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
      paths.push({ visors, transports });
    }
  }

  #stepForward(state: number): void {
    const { graph, costs, source, destination, budget } = this.#search;
    const { values, most } = this.#measure;
    const visor = state >> 1, isBehind = state % 2 === 1, isUsed = this.#through[visor]! > 0;
    if (isBehind ? isUsed : !isUsed || this.#separation === "links") {
      this.#reachForward(state ^ 1, { from: state, value: 0, over: -1 });
    }
    if (visor === destination || (!isBehind && !isUsed)) return;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    budget.steps -= end / 2;
    for (let i = 0; i < end; i += 2) {
      const to = arcs[i]!, transport = arcs[i + 1]!;
      if (to === source || this.#isAvoided[to] === 1) continue;
      const usedFrom = this.#usedFrom[transport]!;
      if (isBehind) {
        if (usedFrom !== -1 || costs[transport]! > most) continue;
        this.#reachForward(2 * to, { from: state, value: values[transport]!, over: transport });
      } else if (usedFrom === to) {
        this.#reachForward(2 * to + 1, { from: state, value: -values[transport]!, over: transport });
      }
    }
  }

  /** The same against the direction of the arcs. */
  #stepBackward(state: number): void {
    const { graph, costs, source, destination, budget } = this.#search;
    const { values, most } = this.#measure;
    const visor = state >> 1, isBehind = state % 2 === 1, isUsed = this.#through[visor]! > 0;
    if (isBehind ? !isUsed || this.#separation === "links" : isUsed) {
      this.#reachBackward(state ^ 1, { to: state, value: 0, over: -1 });
    }
    if (visor === source || (isBehind && !isUsed)) return;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    budget.steps -= end / 2;
    for (let i = 0; i < end; i += 2) {
      const from = arcs[i]!, transport = arcs[i + 1]!;
      if (from === destination || this.#isAvoided[from] === 1) continue;
      const usedFrom = this.#usedFrom[transport]!;
      if (!isBehind) {
        if (usedFrom !== -1 || costs[transport]! > most) continue;
        this.#reachBackward(2 * from + 1, { to: state, value: values[transport]!, over: transport });
      } else if (usedFrom === visor) {
        this.#reachBackward(2 * from, { to: state, value: -values[transport]!, over: transport });
      }
    }
  }

  #reachForward(
    state: number,
    { from, value, over }: { readonly from: number; readonly value: number; readonly over: number },
  ): void {
    const distance = this.#forward.distance[from]! + value - this.#potential[from]! + this.#potential[state]!;
    if (distance >= this.#forward.distance[state]!) return;
    this.#forward.reach(state, { distance, next: from, over });
    this.#meet(state);
  }

  #reachBackward(
    state: number,
    { to, value, over }: { readonly to: number; readonly value: number; readonly over: number },
  ): void {
    const distance = this.#backward.distance[to]! + value - this.#potential[state]! + this.#potential[to]!;
    if (distance >= this.#backward.distance[state]!) return;
    this.#backward.reach(state, { distance, next: to, over });
    this.#meet(state);
  }

  #meet(state: number): void {
    const distance = this.#forward.distance[state]! + this.#backward.distance[state]!;
    if (distance >= this.#reached) return;
    this.#reached = distance;
    this.#meeting = state;
  }

  #raisePotentials(): void {
    const forward = this.#forward, backward = this.#backward;
    const least = Math.min(forward.heap.least, this.#reached), rest = this.#reached - least;
    for (const state of forward.touched) {
      const distance = forward.distance[state]!;
      if (distance < least) this.#potential[state]! += least - distance;
    }
    for (const state of backward.touched) {
      const distance = backward.distance[state]!;
      if (distance < rest) this.#potential[state]! += distance - rest;
    }
  }

  /** Uses the transports of the augmenting path, and frees those that it goes back over. */
  #use(): void {
    for (let state = this.#meeting; this.#forward.next[state] !== -1; state = this.#forward.next[state]!) {
      this.#useArc(this.#forward.over[state]!, { from: this.#forward.next[state]!, to: state });
    }
    for (let state = this.#meeting; this.#backward.next[state] !== -1; state = this.#backward.next[state]!) {
      this.#useArc(this.#backward.over[state]!, { from: state, to: this.#backward.next[state]! });
    }
  }

  #useArc(transport: number, { from, to }: { readonly from: number; readonly to: number }): void {
    if (transport < 0) return;
    if (from % 2 === 1) {
      this.#usedFrom[transport] = from >> 1;
      this.#through[to >> 1]!++;
    } else {
      this.#usedFrom[transport] = -1;
      this.#through[from >> 1]!--;
    }
  }
}
