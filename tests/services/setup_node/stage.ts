/** A setup node and visors with their gateways on one messaging network in memory, which speak the real RPC. */

import { decodeRule, publicKeyOf, type Rule } from "../../../lib/core/mod.ts";
import { createSetupClient } from "../../../lib/routing/setup/client.ts";
import { createSetupGateway, type RuleHandlers } from "../../../lib/routing/setup/gateway.ts";
import { createSetupNode, type SetupNodeDeps } from "../../../lib/services/setup_node/mod.ts";
import { type Hop, type PublicKey, type RouteId, SecretKey } from "../../../lib/types/mod.ts";
import type { BidirectionalRoute, EdgeRules } from "../../../lib/wire/setup_messages.ts";
import { transportId } from "../../../lib/wire/transport_entry.ts";
import type { Simulation } from "../../fakes/mod.ts";
import { createMemoryMessaging } from "./memory_messaging.ts";

/** Whose they are is said by their names; a stranger has no gateway, and nobody trusts it. */
export const [NODE, A, B, C, D, STRANGER] = [1, 2, 3, 4, 5, 6].map((i) =>
  publicKeyOf(new SecretKey(new Uint8Array(32).fill(i)))
) as [PublicKey, PublicKey, PublicKey, PublicKey, PublicKey, PublicKey];

type Messaging = ReturnType<typeof createMemoryMessaging>;

/** A visor's table: who may reserve, what was saved. */
export class Table implements RuleHandlers {
  readonly rules = new Map<RouteId, Rule>();
  readonly calls: string[] = [];
  #nextId = 100;

  reserveIds(count: number): RouteId[] {
    this.calls.push("reserve");
    return Array.from({ length: count }, () => this.#nextId++ as RouteId);
  }

  addIntermediaryRules(rules: readonly Uint8Array[]): void {
    this.calls.push("intermediary");
    rules.forEach((rule) => this.#save(rule));
  }

  addEdgeRules(edge: EdgeRules): void {
    this.calls.push("edge");
    [edge.forward, edge.consume].forEach((rule) => this.#save(rule));
  }

  removeRules(ids: readonly RouteId[]): void {
    this.calls.push("remove");
    ids.forEach((id) => this.rules.delete(id));
  }

  #save(bytes: Uint8Array): void {
    const rule = decodeRule(bytes);
    this.rules.set(rule.routeId, rule);
  }
}

/**
 * Starts the setup node. `visor` starts a gateway in front of `rules`, else of the table that it gives; `ask` asks for a
 * route as its source, or as `from`.
 */
export function stage(sim: Simulation, options: { readonly node?: Partial<SetupNodeDeps> } = {}): {
  messaging: Messaging;
  stack: AsyncDisposableStack;
  visor(key: PublicKey, rules?: RuleHandlers): Table;
  ask(route: BidirectionalRoute, o?: { from?: PublicKey }): Promise<EdgeRules>;
} {
  const messaging = createMemoryMessaging();
  const stack = new AsyncDisposableStack();
  stack.use(createSetupNode({ runtime: sim.runtimeFor("node"), messaging: messaging.of(NODE), ...options.node }));
  return {
    messaging,
    stack,
    visor(key, rules): Table {
      const table = new Table();
      const handlers = rules ?? table;
      const runtime = sim.runtimeFor(key);
      stack.use(createSetupGateway({ runtime, messaging: messaging.of(key), setupNodes: [NODE], rules: handlers }));
      return table;
    },
    ask(route, { from = route.descriptor.source.publicKey } = {}): Promise<EdgeRules> {
      return createSetupClient({ runtime: sim.runtimeFor(from), messaging: messaging.of(from) }).dialRouteGroup(
        NODE,
        route,
      );
    },
  };
}

/** A route over these visors, and back over the same or others, on stcp transports. */
export function routeVia(forward: readonly PublicKey[], reverse = forward.toReversed()): BidirectionalRoute {
  const path = (keys: readonly PublicKey[]): Hop[] =>
    keys.slice(1).map((to, i) => {
      const from = keys[i] as PublicKey;
      return { transportId: transportId(from, to, "stcp"), from, to };
    });
  return {
    descriptor: {
      source: { publicKey: forward[0] as PublicKey, port: 49153 },
      destination: { publicKey: forward.at(-1) as PublicKey, port: 3 },
    },
    keepAliveNs: 30_000_000_000n,
    forward: path(forward),
    reverse: path(reverse),
  };
}
