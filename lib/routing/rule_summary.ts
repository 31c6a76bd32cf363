/** The routing rules of a visor as people see them (`skywire route rules`). Tested in tests/sim/setup_test.ts. */

import type { Rule, Switch } from "../core/mod.ts";
import type { MonotonicMs, Port, PublicKey, RouteId, TransportId } from "../types/mod.ts";

/** One rule of the table. */
export interface RuleSummary {
  /** Of the packets it is for. */
  readonly routeId: RouteId;
  /** What happens to them: passed on; sent off by this visor; delivered here. */
  readonly type: "intermediary" | "forward" | "consume";
  /** The transport that packets go on to; not of consume rules. */
  readonly transport?: TransportId;
  /** The id under which the next visor knows the route; not of consume rules. */
  readonly nextRouteId?: RouteId;
  /** How long the rule may be idle before it expires, ms. */
  readonly keepAliveMs: number;
  /** How long it has been idle, ms. */
  readonly idleMs: number;
  /** The visor at the other end; edge rules only, since a visor in the middle does not learn it. */
  readonly remote?: PublicKey;
  /** This visor's port; edge rules only. */
  readonly localPort?: Port;
  /** The port at the other end; edge rules only. */
  readonly remotePort?: Port;
}

/** Summarises all live rules, by route id. */
export function summariseRules(core: Pick<Switch, "rules">, now: MonotonicMs): RuleSummary[] {
  return core.rules(now).map(({ rule, idleMs }) => summarise(rule, idleMs)).sort((a, b) => a.routeId - b.routeId);
}

function summarise(rule: Rule, idleMs: number): RuleSummary {
  const common = { routeId: rule.routeId, type: rule.type, keepAliveMs: Number(rule.keepAliveNs / 1_000_000n), idleMs };
  if (rule.type === "intermediary") {
    return { ...common, transport: rule.nextTransportId, nextRouteId: rule.nextRouteId };
  }
  // A forward rule describes what we send, a consume rule what we get (routing.md §2.4).
  const { source, destination } = rule.descriptor;
  const [local, remote] = rule.type === "forward" ? [source, destination] : [destination, source];
  const edge = { ...common, remote: remote.publicKey, localPort: local.port, remotePort: remote.port };
  if (rule.type === "consume") return edge;
  return { ...edge, transport: rule.nextTransportId, nextRouteId: rule.nextRouteId };
}
