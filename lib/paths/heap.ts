/** A heap of numbered things by rising cost; of equals, the one that came last comes out first. */
export class Heap {
  readonly #items: number[] = [];
  readonly #costs: number[] = [];
  readonly #turns: number[] = [];
  #turn = 0;

  /** How many wait. */
  get size(): number {
    return this.#items.length;
  }

  /** The least cost; Infinity when nothing waits. */
  get least(): number {
    return this.#costs[0] ?? Infinity;
  }

  /** Adds one. */
  push(item: number, cost: number): void {
    let at = this.#items.length;
    const turn = ++this.#turn;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#costs[above]! < cost) break;
      this.#move(above, at);
      at = above;
    }
    this.#set(at, { item, cost, turn });
  }

  /** Takes the least one out; undefined when nothing waits. */
  pop(): number | undefined {
    const first = this.#items[0];
    const item = this.#items.pop(), cost = this.#costs.pop(), turn = this.#turns.pop();
    if (first === undefined || this.#items.length === 0) return first;
    const size = this.#items.length;
    let at = 0;
    for (let below = 1; below < size; below = 2 * at + 1) {
      if (below + 1 < size && this.#isBefore(below + 1, below)) below++;
      if (cost! < this.#costs[below]! || (cost === this.#costs[below] && turn! > this.#turns[below]!)) break;
      this.#move(below, at);
      at = below;
    }
    this.#set(at, { item: item!, cost: cost!, turn: turn! });
    return first;
  }

  /** Removes all. */
  clear(): void {
    this.#items.length = this.#costs.length = this.#turns.length = 0;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#costs[a]! - this.#costs[b]!;
    return difference < 0 || (difference === 0 && this.#turns[a]! > this.#turns[b]!);
  }

  #move(from: number, to: number): void {
    this.#items[to] = this.#items[from]!;
    this.#costs[to] = this.#costs[from]!;
    this.#turns[to] = this.#turns[from]!;
  }

  #set(
    at: number,
    { item, cost, turn }: { readonly item: number; readonly cost: number; readonly turn: number },
  ): void {
    this.#items[at] = item;
    this.#costs[at] = cost;
    this.#turns[at] = turn;
  }
}
