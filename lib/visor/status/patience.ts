/**
 * How long to wait for an answer: a few times as long as answers have taken, so that a slow way counts as a way.
 * Tested in tests/visor/status/part_test.ts.
 */

/** Before anything was measured, ms: a way over satellites answers the first question in it. */
const FIRST_MS = 5_000;

/** Never less, ms: a machine that is busy for a moment is not away. */
const LEAST_MS = 2_000;

/** Never more, ms: the user waits as long for the status. */
const MOST_MS = 10_000;

/** A way that is this many times as slow as it was counts as broken. */
const FACTOR = 4;

/** What was measured of several services. */
export class Patience {
  readonly #tookMs = new Map<string, number>();

  /** How long to wait for a service, ms. @param name whatever names it */
  limitFor(name: string): number {
    const tookMs = this.#tookMs.get(name);
    return tookMs === undefined ? FIRST_MS : Math.min(Math.max(FACTOR * tookMs, LEAST_MS), MOST_MS);
  }

  /** An answer took so long, ms. The slowest of late counts most: it fades by a tenth with each faster one. */
  answered(name: string, tookMs: number): void {
    this.#tookMs.set(name, Math.max(tookMs, 0.9 * (this.#tookMs.get(name) ?? 0)));
  }
}
