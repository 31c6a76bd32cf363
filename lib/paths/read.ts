/**
 * Reading from arrays of numbers in the inner loops of searches: a function for each kind of array. The engine turns each
 * into a plain load; one function for all kinds would cost several times as much.
 * Tested in tests/paths/best_paths_test.ts.
 */

/** A number of a visor, state or transport; -1 outside the list. */
export function numberAt(list: Int32Array, index: number): number {
  return list[index] ?? -1;
}

/** A cost; Infinity, which no search goes over, outside the list. */
export function costAt(list: Float64Array, index: number): number {
  return list[index] ?? Infinity;
}
