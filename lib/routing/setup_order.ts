/**
 * Which setup node to ask first: what is remembered of each one's recent failures and speed.
 *
 * ```
 * answered ─► asked in the order of speed           failed ─► rests, asked last ─► its rest is over: one dial tries it
 *                                                               ▲──────── failed again, rests twice as long ───────┘
 * ```
 *
 * Speeds are compared by their order of magnitude: how long a set-up takes depends on its route, too, and nodes that are
 * about as fast stay in the order in which the user named them.
 */

import { headStartOf, nextMean } from "../runtime/head_start.ts";
import type { Clock } from "../runtime/ports.ts";
import type { MonotonicMs, PublicKey } from "../types/mod.ts";

/** How long a node rests after its first failure, ms; each further one in a row doubles it. */
export const FIRST_REST_MS = 5_000;

/** The longest rest, ms. */
export const LONGEST_REST_MS = 300_000;

/** A measured time is good for so long, ms; then the node counts as new. */
const MEASURED_FOR_MS = 600_000;

/** What a node that was not measured is taken for, ms: a set-up over a few visors on several continents. */
const UNMEASURED_MS = 1_000;

interface Health {
  /** In a row. */
  failures: number;
  /** Asked only when nobody else is left until then. */
  restsUntil: MonotonicMs;
  /** A mean of recent set-ups. */
  meanMs: number;
  measuredAt: MonotonicMs;
}

/** See the top of the file. */
export class SetupOrder {
  readonly #nodes: readonly PublicKey[];
  readonly #clock: Clock;
  readonly #health = new Map<PublicKey, Health>();

  /** Knows nothing of anybody yet. @param nodes in the order in which the user named them */
  constructor(nodes: readonly PublicKey[], clock: Clock) {
    this.#nodes = nodes;
    this.#clock = clock;
  }

  /**
   * The best of the nodes that were not asked yet. One whose rest is over is given to one caller only, until that caller
   * has noted how it went or as long a rest has passed again.
   * @param asked those that are out of the question
   * @returns undefined when all were asked
   */
  next(asked: ReadonlySet<PublicKey>): PublicKey | undefined {
    const now = this.#clock.monotonic();
    const left = this.#nodes.filter((node) => !asked.has(node));
    const best = left.reduce<PublicKey | undefined>(
      (first, node) => first === undefined || this.#compare(node, first, now) < 0 ? node : first,
      undefined,
    );
    const health = best && this.#health.get(best);
    if (health && health.failures > 0) health.restsUntil = now + restOf(health.failures) as MonotonicMs;
    return best;
  }

  /** A node did what it was asked. @param tookMs its time */
  succeeded(node: PublicKey, tookMs: number): void {
    const now = this.#clock.monotonic();
    const known = this.#health.get(node);
    const isFresh = known === undefined || now - known.measuredAt > MEASURED_FOR_MS;
    const meanMs = nextMean(isFresh ? undefined : known.meanMs, tookMs);
    this.#health.set(node, { failures: 0, restsUntil: now, meanMs, measuredAt: now });
  }

  /** A node did not do what another one could. */
  failed(node: PublicKey): void {
    const now = this.#clock.monotonic();
    const known = this.#health.get(node);
    const failures = (known?.failures ?? 0) + 1;
    this.#health.set(node, {
      failures,
      restsUntil: now + restOf(failures) as MonotonicMs,
      meanMs: known?.meanMs ?? UNMEASURED_MS,
      measuredAt: known?.measuredAt ?? now,
    });
  }

  /** How long a node may take before the next one is asked beside it, ms. One that failed last time gets the least. */
  headStartMs(node: PublicKey): number {
    const health = this.#health.get(node);
    if (health !== undefined && health.failures > 0) return headStartOf(0);
    return headStartOf(this.#isMeasured(health) ? health.meanMs : undefined);
  }

  /** Negative: `a` is the better one. */
  #compare(a: PublicKey, b: PublicKey, now: MonotonicMs): number {
    const [restA, restB] = [this.#restLeft(a, now), this.#restLeft(b, now)];
    if (restA !== restB) return restA - restB;
    return this.#magnitude(a) - this.#magnitude(b) || this.#nodes.indexOf(a) - this.#nodes.indexOf(b);
  }

  #restLeft(node: PublicKey, now: MonotonicMs): number {
    return Math.max(0, (this.#health.get(node)?.restsUntil ?? now) - now);
  }

  #magnitude(node: PublicKey): number {
    const health = this.#health.get(node);
    const meanMs = this.#isMeasured(health) ? Math.max(1, health.meanMs) : UNMEASURED_MS;
    return Math.round(Math.log2(meanMs / UNMEASURED_MS) / 2);
  }

  #isMeasured(health: Health | undefined): health is Health {
    return health !== undefined && this.#clock.monotonic() - health.measuredAt <= MEASURED_FOR_MS;
  }
}

/** How long a node rests after so many failures in a row, ms. */
function restOf(failures: number): number {
  return Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failures - 1));
}
