/**
 * How much work a question may cost, so that the dearest one does not keep others waiting: so many steps, and where time
 * can be told, so many milliseconds. Tested in tests/paths/query_test.ts.
 */

import type { Clock } from "../runtime/mod.ts";
import type { SearchBudget } from "./search.ts";

/** Steps of one search: enough for twenty searches through a map of 100,000 transports. */
const STEPS_PER_SEARCH = 8_000_000;

/** Steps between two looks at the clock, some milliseconds. */
const STEPS_BETWEEN_LOOKS = 50_000;

/** How long the search for an answer may take, ms. */
export const ANSWER_WITHIN_MS = 1_000;

/** How long all searches of an explanation may take together, ms. */
export const EXPLAIN_WITHIN_MS = 2_000;

/** Budgets for the searches of one question. */
export type Budgets = () => SearchBudget;

/** Budgets of steps only. */
export function countSteps(): SearchBudget {
  return { steps: STEPS_PER_SEARCH };
}

/** Budgets that end together so many milliseconds from now. */
export function endWithin(ms: number, clock: Pick<Clock, "monotonic">): Budgets {
  const until = clock.monotonic() + ms;
  return () => new TimedBudget(() => clock.monotonic() >= until);
}

class TimedBudget implements SearchBudget {
  readonly #isLate: () => boolean;
  #steps = STEPS_PER_SEARCH;
  #lookAt = STEPS_PER_SEARCH;

  constructor(isLate: () => boolean) {
    this.#isLate = isLate;
  }

  get steps(): number {
    return this.#steps;
  }

  set steps(left: number) {
    this.#steps = left;
    if (left < this.#lookAt) this.#look();
  }

  #look(): void {
    this.#lookAt = this.#steps - STEPS_BETWEEN_LOOKS;
    if (this.#isLate()) this.#steps = Math.min(this.#steps, 0);
  }
}
