/**
 * Times. Two clocks exist and must not be mixed: one that only goes forward, and the wall clock. Tested in
 * tests/transport/link_history_test.ts.
 */

import type { Branded } from "./brand.ts";

/** A point on the monotonic clock of this process, ms (may have a fraction). Only differences mean something. */
export type MonotonicMs = Branded<number, "MonotonicMs">;

/**
 * Makes a monotonic time of a plain number.
 * @param ms ms on the monotonic clock; may have a fraction
 */
export function monotonicMs(ms: number): MonotonicMs {
  return ms as MonotonicMs;
}
