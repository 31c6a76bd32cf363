/**
 * How long the better candidate is ahead of the next one: several times what such things took lately, so that the next
 * one begins only when something is wrong with the better one.
 */

/** A candidate that takes longer than so many times the mean is late. */
const TIMES_THE_MEAN = 4;

/** The least, ms: where all is near, a busy moment is no reason to begin another one. */
const LEAST_MS = 250;

/** The most, ms: what a person waits for without wondering. */
const MOST_MS = 2_500;

/** Where nothing was measured, ms: several round trips around the world. */
const UNMEASURED_MS = 1_000;

/** The share of the newest measurement in a mean. */
const NEWEST_SHARE = 0.25;

/**
 * The head start of a candidate.
 * @param meanMs what such things took lately, ms; undefined when nothing was measured
 * @param bounds where others fit better, ms
 * @returns ms
 */
export function headStartOf(
  meanMs: number | undefined,
  bounds: { readonly leastMs?: number; readonly mostMs?: number; readonly unmeasuredMs?: number } = {},
): number {
  const { leastMs = LEAST_MS, mostMs = MOST_MS, unmeasuredMs = UNMEASURED_MS } = bounds;
  return meanMs === undefined ? unmeasuredMs : Math.min(mostMs, Math.max(leastMs, TIMES_THE_MEAN * meanMs));
}

/** The mean of what was measured lately. */
export class RecentMean {
  #ms: number | undefined;

  /** ms; undefined until something was measured. */
  get ms(): number | undefined {
    return this.#ms;
  }

  /** Something took so long. */
  add(ms: number): void {
    this.#ms = nextMean(this.#ms, ms);
  }
}

/** A mean in which the newest measurements count most. @param meanMs undefined: `ms` is the first one */
export function nextMean(meanMs: number | undefined, ms: number): number {
  return meanMs === undefined ? ms : meanMs + (ms - meanMs) * NEWEST_SHARE;
}
