/**
 * The one way into the rule table. A setup node may save rules only for route ids that it reserved itself, once each,
 * and only well-formed ones; v1.3 checks none of this (routing.md §2.5, W7). The initiator's own rules, which come with
 * the setup node's reply, pass here too.
 */

import { type ConsumeRule, decodeRule, type ForwardRule, type Rule, type Switch } from "../core/mod.ts";
import { ProtocolError, RefusedError, UnavailableError } from "../errors/mod.ts";
import type { Clock } from "../runtime/ports.ts";
import {
  invertDescriptor,
  type MonotonicMs,
  type OverlayAddress,
  type PublicKey,
  type RouteDescriptor,
  type RouteId,
  shortKey,
  type TransportId,
} from "../types/mod.ts";
import { type EdgeRules, KEEP_ALIVE_RANGE_NS } from "../wire/setup_messages.ts";
import { DEFAULT_RULE_LIMITS, type RuleLimits, RuleQuota } from "./rule_quota.ts";
import { at } from "../types/at.ts";

/** A reservation that no rule followed is void after this time: twice the deadline of a set-up in v1.3 (routing.md §5.4). */
const RESERVATION_MS = 60_000;

/** Edge rules that were checked and saved. */
export interface SavedEdgeRules {
  /** For what we send. */
  readonly forward: ForwardRule;
  /** For what comes. */
  readonly consume: ConsumeRule;
}

/** What the gate needs. */
export interface RuleGateDeps {
  /** Holds the rule table. */
  readonly core: Pick<Switch, "reserveRouteIds" | "saveRule" | "deleteRules" | "rules">;
  /** The time. */
  readonly clock: Clock;
  /** Where edge rules must end. */
  readonly localKey: PublicKey;
  /** Is this transport up here? A rule that leads nowhere is refused, so that the dialler learns it at once. */
  readonly isUp: (transport: TransportId) => boolean;
  /** For each setup node, where the defaults do not fit. */
  readonly limits?: RuleLimits | undefined;
}

interface Reservation {
  readonly setupNode: PublicKey;
  readonly since: MonotonicMs;
}

/** Hands out route ids and lets rules in. */
export class RuleGate {
  readonly #deps: RuleGateDeps;
  readonly #limits: Required<RuleLimits>;
  readonly #quota: RuleQuota;
  /** Ids without a rule yet, oldest first. */
  readonly #reserved = new Map<RouteId, Reservation>();

  /** Has handed out nothing yet. */
  constructor(deps: RuleGateDeps) {
    this.#deps = deps;
    this.#limits = { ...DEFAULT_RULE_LIMITS, ...deps.limits };
    this.#quota = new RuleQuota({ ...deps, maxRules: this.#limits.rules });
  }

  /** Ids that were handed out within the last minute and that no rule followed. */
  get reservedIds(): number {
    this.#forgetUnused();
    return this.#reserved.size;
  }

  /**
   * Reserves route ids for a setup node.
   * @param count 0–255
   * @throws {UnavailableError} `route/too-many-reservations`, `route/too-many-rules`, `routing/ids-exhausted`
   */
  reserve(count: number, setupNode: PublicKey): RouteId[] {
    this.#forgetUnused();
    const wanted = this.#heldBy(setupNode) + count;
    if (wanted > this.#limits.reservedIds) {
      throw new UnavailableError(
        "route/too-many-reservations",
        `Reserve ${count} route ids: ${shortKey(setupNode)} holds too many without rules`,
      );
    }
    this.#quota.check(wanted, setupNode);
    const since = this.#deps.clock.monotonic();
    const ids = this.#deps.core.reserveRouteIds(count);
    for (const id of ids) this.#reserved.set(id, { setupNode, since });
    return ids;
  }

  /**
   * Saves rules for packets that only pass through here: all of them, or none when one is refused.
   * @throws {ProtocolError} `rule/length`, `rule/type`, `rule/wrong-type`, `rule/bad-keep-alive`
   * @throws {RefusedError} `rule/not-reserved`, `rule/unknown-transport`
   */
  saveIntermediary(encoded: readonly Uint8Array[], setupNode: PublicKey): void {
    const rules = encoded.map((bytes) => this.#check(bytes, { type: "intermediary", setupNode }));
    if (new Set(rules.map((rule) => rule.routeId)).size < rules.length) throw notReserved(setupNode);
    rules.forEach((rule, i) => this.#save(rule, { encoded: at(encoded, i), setupNode }));
  }

  /**
   * Saves both rules of an end of a connection.
   * @param edge from the setup node
   * @param options who brought them; and, when we asked for them, the descriptor that they must have
   * @throws as {@link saveIntermediary}, and {ProtocolError} `rule/wrong-descriptor`
   */
  saveEdge(
    edge: EdgeRules,
    { setupNode, descriptor = edge.descriptor }: {
      readonly setupNode: PublicKey;
      readonly descriptor?: RouteDescriptor;
    },
  ): SavedEdgeRules {
    const forward = this.#check(edge.forward, { type: "forward", setupNode });
    const consume = this.#check(edge.consume, { type: "consume", setupNode });
    if (forward.routeId === consume.routeId) throw notReserved(setupNode);
    const consistent = sameDescriptor(edge.descriptor, descriptor) &&
      sameDescriptor(consume.descriptor, edge.descriptor) &&
      sameDescriptor(forward.descriptor, invertDescriptor(edge.descriptor)) &&
      edge.descriptor.destination.publicKey === this.#deps.localKey;
    if (!consistent) {
      throw new ProtocolError(
        "rule/wrong-descriptor",
        "Save edge rules: they do not describe one connection that ends here",
      );
    }
    this.#save(forward, { encoded: edge.forward, setupNode });
    this.#save(consume, { encoded: edge.consume, setupNode });
    return { forward, consume };
  }

  /**
   * Forgets ids that a setup node reserved and the rules saved for them: it takes back a set-up that failed. A group
   * that was made of them ends.
   */
  remove(ids: readonly RouteId[]): void {
    for (const id of ids) this.#reserved.delete(id);
    this.#deps.core.deleteRules([...ids], this.#deps.clock.monotonic());
  }

  #check<T extends Rule["type"]>(
    bytes: Uint8Array,
    expected: { readonly type: T; readonly setupNode: PublicKey },
  ): Extract<Rule, { type: T }> {
    const rule = decodeRule(bytes);
    if (rule.type !== expected.type) {
      throw new ProtocolError("rule/wrong-type", `Save a rule: wanted type ${expected.type}, got ${rule.type}`);
    }
    if (rule.keepAliveNs < KEEP_ALIVE_RANGE_NS.min || rule.keepAliveNs > KEEP_ALIVE_RANGE_NS.max) {
      throw new ProtocolError(
        "rule/bad-keep-alive",
        `Save a rule: wanted a keep-alive of 1 s to 24 h, got ${rule.keepAliveNs} ns`,
      );
    }
    this.#forgetUnused();
    if (this.#reserved.get(rule.routeId)?.setupNode !== expected.setupNode) throw notReserved(expected.setupNode);
    if (rule.type !== "consume" && !this.#deps.isUp(rule.nextTransportId)) {
      throw new RefusedError(
        "rule/unknown-transport",
        `Save a rule: transport ${rule.nextTransportId} is not up at ${shortKey(this.#deps.localKey)}`,
        { details: { transport: rule.nextTransportId } },
      );
    }
    return rule as Extract<Rule, { type: T }>;
  }

  #save(rule: Rule, { encoded, setupNode }: { readonly encoded: Uint8Array; readonly setupNode: PublicKey }): void {
    this.#deps.core.saveRule(encoded, this.#deps.clock.monotonic());
    this.#quota.add(rule.routeId, setupNode);
    this.#reserved.delete(rule.routeId);
  }

  #heldBy(setupNode: PublicKey): number {
    let held = 0;
    for (const reservation of this.#reserved.values()) if (reservation.setupNode === setupNode) held++;
    return held;
  }

  #forgetUnused(): void {
    const now = this.#deps.clock.monotonic();
    for (const [id, reservation] of this.#reserved) {
      if (now - reservation.since <= RESERVATION_MS) return;
      this.#reserved.delete(id);
    }
  }
}

function notReserved(setupNode: PublicKey): RefusedError {
  return new RefusedError(
    "rule/not-reserved",
    `Save a rule: its route id is not one that ${shortKey(setupNode)} reserved and has not used yet`,
  );
}

function sameDescriptor(a: RouteDescriptor, b: RouteDescriptor): boolean {
  return sameAddress(a.source, b.source) && sameAddress(a.destination, b.destination);
}

function sameAddress(a: OverlayAddress, b: OverlayAddress): boolean {
  return a.publicKey === b.publicKey && a.port === b.port;
}
