/**
 * A heap of numbered things by rising cost; of equals, the one that came last comes out first. Tested in
 * tests/paths/best_routes_prop_test.ts.
 */

import { costAt, numberAt } from "./read.ts";

/** Room for the first things; doubled whenever it is full. */
const FIRST_ROOM = 16;

/** See the top of the file. */
export class Heap {
  #items = new Int32Array(FIRST_ROOM);
  #costs = new Float64Array(FIRST_ROOM);
  #turns = new Int32Array(FIRST_ROOM);
  #size = 0;
  #turn = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** The least cost; Infinity when nothing waits. */
  get least(): number {
    return this.#size === 0 ? Infinity : costAt(this.#costs, 0);
  }

  /** Adds one. */
  push(item: number, cost: number): void {
    if (this.#size === this.#items.length) this.#grow();
    let place = this.#size++;
    const turn = ++this.#turn;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (costAt(this.#costs, above) < cost) break;
      this.#move(above, place);
      place = above;
    }
    this.#items[place] = item;
    this.#costs[place] = cost;
    this.#turns[place] = turn;
  }

  /** Takes the least one out; undefined when nothing waits. */
  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const first = numberAt(this.#items, 0);
    const size = --this.#size;
    const cost = costAt(this.#costs, size), turn = numberAt(this.#turns, size);
    let place = 0;
    for (let below = 1; below < size; below = 2 * place + 1) {
      if (below + 1 < size && this.#isBefore(below + 1, below)) below++;
      const costBelow = costAt(this.#costs, below);
      if (cost < costBelow || (cost === costBelow && turn > numberAt(this.#turns, below))) break;
      this.#move(below, place);
      place = below;
    }
    this.#move(size, place);
    return first;
  }

  /** Removes all. */
  clear(): void {
    this.#size = 0;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = costAt(this.#costs, a) - costAt(this.#costs, b);
    return difference < 0 || (difference === 0 && numberAt(this.#turns, a) > numberAt(this.#turns, b));
  }

  #move(from: number, to: number): void {
    this.#items[to] = numberAt(this.#items, from);
    this.#costs[to] = costAt(this.#costs, from);
    this.#turns[to] = numberAt(this.#turns, from);
  }

  #grow(): void {
    const items = new Int32Array(2 * this.#size), costs = new Float64Array(2 * this.#size);
    const turns = new Int32Array(2 * this.#size);
    items.set(this.#items);
    costs.set(this.#costs);
    turns.set(this.#turns);
    [this.#items, this.#costs, this.#turns] = [items, costs, turns];
  }
}
