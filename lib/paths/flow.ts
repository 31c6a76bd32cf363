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
 *
 * To raise a limit of cost, the same searches count the largest cost of a path, everything up to the limit being equal.
 * So the limit rises to the least over which so many paths exist: below it, no augmenting path would have led on.
 * Tested in tests/paths/best_routes_prop_test.ts.
 */

import { Heap } from "./heap.ts";
import { costAt, numberAt } from "./read.ts";
import type { NumberedPath, Search } from "./search.ts";

/** What paths must not share. */
export type Separation = "links" | "visors";

/** What a flow needs of a question. */
export type FlowSearch = Pick<Search, "graph" | "costs" | "source" | "destination" | "avoid" | "budget">;

/** Instead of the visor from which a transport is used. */
const UNUSED = -1, BLOCKED = -2;

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

  /** The state before this one on the way from where the search began; -1 at its beginning. */
  before(state: number): number {
    return numberAt(this.next, state);
  }

  begin(state: number, distance: number): void {
    for (const touched of this.touched) {
      this.distance[touched] = Infinity;
      this.isSettled[touched] = 0;
    }
    this.touched.length = 0;
    this.heap.clear();
    this.reach(state, { distance, next: -1, over: -1 });
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
  readonly #separation: Separation;
  #values: Float64Array;
  #isMaximum = false;
  #limit: number;
  readonly #potential: Float64Array;
  readonly #forward: Side;
  readonly #backward: Side;
  /** From which visor a transport is used, or that it is not, or must not be. */
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
    { values, limit, separation }: {
      /** What is added up, by the number of the transport. */
      readonly values: Float64Array;
      /** Transports whose cost is more are not used. */
      readonly limit: number;
      readonly separation: Separation;
    },
  ) {
    const { graph, avoid } = search;
    this.#search = search;
    this.#separation = separation;
    this.#values = values;
    this.#limit = limit;
    const states = 2 * graph.bound;
    this.#potential = new Float64Array(states);
    this.#forward = new Side(states);
    this.#backward = new Side(states);
    this.#usedFrom = new Int32Array(graph.transportBound).fill(UNUSED);
    this.#through = new Int32Array(graph.bound);
    this.#isAvoided = new Uint8Array(graph.bound);
    for (const visor of avoid) this.#isAvoided[visor] = 1;
  }

  /** See the constructor; as far as it was raised. */
  get limit(): number {
    return this.#limit;
  }

  /** From now on each path raises the limit where it must, by as little as can be; sums are not looked at. */
  raiseLimit(): void {
    this.#values = this.#search.costs;
    this.#isMaximum = true;
  }

  /** Adds a path, perhaps changing those before. False when there are no more, or the budget is used up. */
  grow(): boolean {
    const { source, destination, budget } = this.#search;
    const forward = this.#forward, backward = this.#backward;
    this.#meeting = -1;
    this.#reached = Infinity;
    const least = this.#isMaximum ? this.#limit : 0;
    forward.begin(2 * source + 1, least);
    backward.begin(2 * destination, least);
    while (this.#join(forward.heap.least, backward.heap.least) < this.#reached && budget.steps > 0) {
      const isForward = forward.heap.size <= backward.heap.size;
      const side = isForward ? forward : backward;
      const state = side.heap.pop();
      if (state === undefined || side.isSettled[state] === 1) continue;
      side.isSettled[state] = 1;
      if (isForward) this.#stepForward(state);
      else this.#stepBackward(state);
    }
    if (this.#meeting < 0 || budget.steps <= 0) return false;
    if (this.#isMaximum) this.#limit = this.#reached;
    else this.#raisePotentials();
    this.#use();
    return true;
  }

  /** The paths, in no order. */
  paths(): Omit<NumberedPath, "cost">[] {
    const { graph, source, destination } = this.#search;
    const used = this.#usedFrom.slice();
    const paths: Omit<NumberedPath, "cost">[] = [];
    while (true) {
      const visors = [source], transports: number[] = [];
      for (let visor = source; visor !== destination;) {
        const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
        let i = 0;
        while (i < end && used[numberAt(arcs, i + 1)] !== visor) i += 2;
        if (i === end) return paths;
        const transport = numberAt(arcs, i + 1);
        used[transport] = UNUSED;
        transports.push(transport);
        visor = numberAt(arcs, i);
        visors.push(visor);
      }
      paths.push({ visors, transports });
    }
  }

  #stepForward(state: number): void {
    const { graph, costs, source, destination, budget } = this.#search;
    const values = this.#values, most = this.#isMaximum ? Number.MAX_VALUE : this.#limit;
    const visor = state >> 1, isBehind = state % 2 === 1, isUsed = numberAt(this.#through, visor) > 0;
    if (isBehind ? isUsed : !isUsed || this.#separation === "links") {
      this.#reachForward(state ^ 1, { from: state, value: 0, over: -1 });
    }
    if (visor === destination || (!isBehind && !isUsed)) return;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    budget.steps -= end / 2;
    for (let i = 0; i < end; i += 2) {
      const to = numberAt(arcs, i), transport = numberAt(arcs, i + 1);
      if (to === source || this.#isAvoided[to] === 1) continue;
      const usedFrom = numberAt(this.#usedFrom, transport);
      if (isBehind) {
        if (usedFrom !== UNUSED || costAt(costs, transport) > most) continue;
        this.#reachForward(2 * to, { from: state, value: costAt(values, transport), over: transport });
      } else if (usedFrom === to) {
        this.#reachForward(2 * to + 1, { from: state, value: -costAt(values, transport), over: transport });
      }
    }
  }

  /** The same against the direction of the arcs. */
  #stepBackward(state: number): void {
    const { graph, costs, source, destination, budget } = this.#search;
    const values = this.#values, most = this.#isMaximum ? Number.MAX_VALUE : this.#limit;
    const visor = state >> 1, isBehind = state % 2 === 1, isUsed = numberAt(this.#through, visor) > 0;
    if (isBehind ? !isUsed || this.#separation === "links" : isUsed) {
      this.#reachBackward(state ^ 1, { to: state, value: 0, over: -1 });
    }
    if (visor === source || (isBehind && !isUsed)) return;
    const arcs = graph.arcs(visor), end = 2 * graph.degree(visor);
    budget.steps -= end / 2;
    for (let i = 0; i < end; i += 2) {
      const from = numberAt(arcs, i), transport = numberAt(arcs, i + 1);
      if (from === destination || this.#isAvoided[from] === 1) continue;
      const usedFrom = numberAt(this.#usedFrom, transport);
      if (!isBehind) {
        if (usedFrom !== UNUSED || costAt(costs, transport) > most) continue;
        this.#reachBackward(2 * from + 1, { to: state, value: costAt(values, transport), over: transport });
      } else if (usedFrom === visor) {
        this.#reachBackward(2 * from, { to: state, value: -costAt(values, transport), over: transport });
      }
    }
  }

  #reachForward(
    state: number,
    { from, value, over }: { readonly from: number; readonly value: number; readonly over: number },
  ): void {
    const distance = this.#isMaximum
      ? Math.max(costAt(this.#forward.distance, from), value)
      : costAt(this.#forward.distance, from) + value - costAt(this.#potential, from) + costAt(this.#potential, state);
    if (distance >= costAt(this.#forward.distance, state)) return;
    this.#forward.reach(state, { distance, next: from, over });
    this.#meet(state);
  }

  #reachBackward(
    state: number,
    { to, value, over }: { readonly to: number; readonly value: number; readonly over: number },
  ): void {
    const distance = this.#isMaximum
      ? Math.max(costAt(this.#backward.distance, to), value)
      : costAt(this.#backward.distance, to) + value - costAt(this.#potential, state) + costAt(this.#potential, to);
    if (distance >= costAt(this.#backward.distance, state)) return;
    this.#backward.reach(state, { distance, next: to, over });
    this.#meet(state);
  }

  #join(a: number, b: number): number {
    return this.#isMaximum ? Math.max(a, b) : a + b;
  }

  #meet(state: number): void {
    const distance = this.#join(costAt(this.#forward.distance, state), costAt(this.#backward.distance, state));
    if (distance >= this.#reached) return;
    this.#reached = distance;
    this.#meeting = state;
  }

  #raisePotentials(): void {
    const forward = this.#forward, backward = this.#backward;
    const least = Math.min(forward.heap.least, this.#reached), rest = this.#reached - least;
    for (const state of forward.touched) {
      const distance = costAt(forward.distance, state);
      if (distance < least) this.#raise(state, least - distance);
    }
    for (const state of backward.touched) {
      const distance = costAt(backward.distance, state);
      if (distance < rest) this.#raise(state, distance - rest);
    }
  }

  #raise(state: number, by: number): void {
    this.#potential[state] = costAt(this.#potential, state) + by;
  }

  /** Uses the transports of the augmenting path, and frees those that it goes back over. */
  #use(): void {
    let state = this.#meeting;
    for (let from = this.#forward.before(state); from !== -1; from = this.#forward.before(state)) {
      this.#useArc(numberAt(this.#forward.over, state), { from, to: state });
      state = from;
    }
    state = this.#meeting;
    for (let to = this.#backward.before(state); to !== -1; to = this.#backward.before(state)) {
      this.#useArc(numberAt(this.#backward.over, state), { from: state, to });
      state = to;
    }
  }

  #useArc(transport: number, { from, to }: { readonly from: number; readonly to: number }): void {
    if (transport < 0) return;
    if (from % 2 === 1) {
      this.#usedFrom[transport] = from >> 1;
      this.#pass(to >> 1, 1);
      if (to >> 1 === this.#search.destination && from >> 1 === this.#search.source) this.#blockOtherDirect();
    } else {
      this.#usedFrom[transport] = UNUSED;
      this.#pass(from >> 1, -1);
    }
  }

  #pass(visor: number, units: number): void {
    this.#through[visor] = numberAt(this.#through, visor) + units;
  }

  /** Direct paths share no visor between their ends, but are the same path all the same. No path takes one of them back. */
  #blockOtherDirect(): void {
    if (this.#separation === "links") return;
    const { graph, source, destination } = this.#search;
    const arcs = graph.arcs(source);
    for (let i = 0; i < 2 * graph.degree(source); i += 2) {
      const transport = numberAt(arcs, i + 1);
      if (arcs[i] === destination && this.#usedFrom[transport] === UNUSED) this.#usedFrom[transport] = BLOCKED;
    }
  }
}
