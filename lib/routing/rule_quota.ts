/**
 * How many rules each setup node keeps at this visor. The rule table tells nobody when a rule goes, so those that are
 * gone are noticed when a setup node seems to have too many; until then they cost a number each.
 * Tested in tests/services/setup_node/refusals_test.ts.
 */

import type { Switch } from "../core/mod.ts";
import { UnavailableError } from "../errors/mod.ts";
import type { Clock } from "../runtime/ports.ts";
import { type MonotonicMs, type PublicKey, type RouteId, shortKey } from "../types/mod.ts";

/** How much a visor takes on for one setup node. */
export interface RuleLimits {
  /**
   * Ids that it may hold without rules; each is free again a minute later. Default 4,080: 16 of the largest requests
   * that the wire allows (255 ids).
   */
  readonly reservedIds?: number;
  /**
   * Rules that live, and ids without rules. Default 16,384: 8,192 routes through this visor, or half as many that end
   * here. A rule lives until it was idle for its keep-alive, which the setup node chooses (1 s to 24 h).
   */
  readonly rules?: number;
}

/** {@link RuleLimits} where nothing else is said. */
export const DEFAULT_RULE_LIMITS: Required<RuleLimits> = { reservedIds: 4_080, rules: 16_384 };

/**
 * The whole table is looked through at most once in so long, ms, which takes some 50 ms for 16,384 rules: a setup node
 * that asks on and on costs no more.
 */
const LOOK_EVERY_MS = 1_000;

/** Whose rule is which. */
export class RuleQuota {
  readonly #deps: { readonly core: Pick<Switch, "rules">; readonly clock: Clock; readonly maxRules: number };
  readonly #rules = new Map<PublicKey, Set<RouteId>>();
  #lookedAt: MonotonicMs | undefined;

  /** Nobody has a rule yet. */
  constructor(deps: { readonly core: Pick<Switch, "rules">; readonly clock: Clock; readonly maxRules: number }) {
    this.#deps = deps;
  }

  /** May it have so many more? @throws {UnavailableError} `route/too-many-rules` */
  check(more: number, setupNode: PublicKey): void {
    const { maxRules } = this.#deps;
    if (this.#countOf(setupNode) + more <= maxRules) return;
    this.#forgetGone();
    if (this.#countOf(setupNode) + more <= maxRules) return;
    throw new UnavailableError(
      "route/too-many-rules",
      `Reserve route ids: ${shortKey(setupNode)} has too many rules here, ${maxRules} are allowed`,
    );
  }

  /** Counts a rule that was saved. */
  add(id: RouteId, setupNode: PublicKey): void {
    const own = this.#rules.get(setupNode) ?? new Set();
    this.#rules.set(setupNode, own.add(id));
  }

  #countOf(setupNode: PublicKey): number {
    return this.#rules.get(setupNode)?.size ?? 0;
  }

  #forgetGone(): void {
    const { core, clock } = this.#deps;
    const now = clock.monotonic();
    if (this.#lookedAt !== undefined && now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const live = new Set(core.rules(now).map(({ rule }) => rule.routeId));
    for (const [setupNode, own] of this.#rules) this.#rules.set(setupNode, own.intersection(live));
  }
}
