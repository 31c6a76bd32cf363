/**
 * What all searches are told: from where to where, over what, at which cost, and with how much work. Tested in
 * tests/paths/best_routes_prop_test.ts.
 */

import { joinCosts, type Joining } from "./figures.ts";
import { costAt } from "./read.ts";
import type { ReadonlyGraph } from "./graph.ts";

/** Longer routes are never looked for: v1.3 visors ask for 50 (routing.md §7.5). */
export const MAX_SEARCH_HOPS = 64;

/** How much work searches may do; shared by all searches of one request. */
export interface SearchBudget {
  /** Steps over a transport that are left. */
  steps: number;
}

/** What a search adds up, and which transports it uses. */
export interface Measure {
  /** By the number of the transport. */
  readonly values: Float64Array;
  /** Does the largest value count, and not their sum? */
  readonly isMaximum: boolean;
  /** Transports whose cost is more are not used. */
  readonly most: number;
}

/** A question in numbers. */
export interface Search {
  /** Not changed meanwhile. */
  readonly graph: ReadonlyGraph;
  /** The cost of each transport by its number; Infinity for those that must not be used. */
  readonly costs: Float64Array;
  readonly joining: Joining;
  /** The cost of each transport by hops, which decides between equals. */
  readonly ties: Float64Array;
  /** Numbers of two different visors. */
  readonly source: number;
  readonly destination: number;
  /** Strict; 1 ≤ minHops. */
  readonly minHops: number;
  /** Strict; at most {@link MAX_SEARCH_HOPS}. */
  readonly maxHops: number;
  /** Visors that must not be passed. */
  readonly avoid: ReadonlySet<number>;
  /** Visors that must be passed, in this order; neither end is among them, none twice. */
  readonly via: readonly number[];
  /** Is used up; when nothing is left of it, what was found so far is the result. */
  readonly budget: SearchBudget;
}

/** A path in numbers. */
export interface NumberedPath {
  /** From source to destination, both included. */
  readonly visors: readonly number[];
  /** One less than visors. */
  readonly transports: readonly number[];
  readonly cost: number;
}

/** The cost of a path in what the question is about. */
export function costOfPath({ transports }: Pick<NumberedPath, "transports">, { costs, joining }: Search): number {
  return transports.reduce((cost, transport) => joinCosts(cost, { b: costAt(costs, transport), joining }), 0);
}
