/** The numbers of the legs that a session has had (sessions.md §1.5): each is used once. */

/** How many are remembered; a number below all of them counts as used. */
const REMEMBERED = 256;

/** See the top of the file. Tested in tests/routing/session/used_legs_test.ts. */
export class UsedLegs {
  readonly #numbers = new Set<number>();
  /** Everything below was used, or can no longer be told from what was. */
  #floor = 0;

  /** Was this number used? */
  has(number: number): boolean {
    return number < this.#floor || this.#numbers.has(number);
  }

  /** Uses a number. @returns false when it was used before */
  add(number: number): boolean {
    if (this.has(number)) return false;
    this.#numbers.add(number);
    if (this.#numbers.size > REMEMBERED) {
      const lowest = Math.min(...this.#numbers);
      this.#numbers.delete(lowest);
      this.#floor = lowest + 1;
    }
    return true;
  }
}
