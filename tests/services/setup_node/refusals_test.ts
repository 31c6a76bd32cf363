/** What a setup node and a visor's gateway refuse, in the words that the other side hears over RPC. */

import assert from "node:assert/strict";
import { encodeRule, publicKeyOf, Switch } from "../../../lib/core/mod.ts";
import { hasCode } from "../../../lib/errors/mod.ts";
import { RuleGate } from "../../../lib/routing/rule_gate.ts";
import { RuleQuota } from "../../../lib/routing/rule_quota.ts";
import type { RuleLimits } from "../../../lib/routing/mod.ts";
import type { RuleHandlers } from "../../../lib/routing/setup/gateway.ts";
import { MAX_PATH_HOPS } from "../../../lib/services/setup_node/rules.ts";
import { type PublicKey, type RouteId, SecretKey, type TransportId } from "../../../lib/types/mod.ts";
import { RpcClient } from "../../../lib/overlay/rpc/mod.ts";
import {
  ADD_INTERMEDIARY_RULES,
  type BidirectionalRoute,
  RESERVE_IDS,
  RULE_GATEWAY_PORT,
  SETUP_NODE_PORT,
} from "../../../lib/wire/setup_messages.ts";
import { createVirtualTime, type Simulation, simulationTest } from "../../fakes/mod.ts";
import { A, B, C, D, NODE, routeVia, stage, STRANGER } from "./stage.ts";

const OUTCOME = { accepted: "accepted" } as const;

/** What the other side hears: the error string of the RPC, as a v1.3 visor reads it. */
function heard(call: Promise<unknown>): Promise<string> {
  return call.then(() => OUTCOME.accepted, (error) => {
    assert.ok(hasCode(error, "rpc/refused"), `wanted an answer, got ${error}`);
    return String(error.details.message);
  });
}

/** More visors than a path may have. */
const MANY = Array.from(
  { length: MAX_PATH_HOPS + 2 },
  (_, i) => publicKeyOf(new SecretKey(new Uint8Array(32).fill(i + 20))),
);

const short = (key: PublicKey): string => key.slice(0, 8);
const twice = (route: BidirectionalRoute): BidirectionalRoute => {
  const [first, ...rest] = route.forward;
  return { ...route, forward: [first!, first!, ...rest] };
};

const REFUSALS: Readonly<
  Record<string, { route: BidirectionalRoute; from?: PublicKey; words: RegExp; reason: string }>
> = {
  "whose source is not the requester": {
    route: routeVia([A, B, C]),
    from: STRANGER,
    words: new RegExp(`^only ${short(A)}.* itself may ask for a route from it$`),
    reason: "bad-route",
  },
  "whose path has a loop": {
    route: routeVia([A, B, C, B, D]),
    words: /^a path visits a visor twice$/,
    reason: "bad-route",
  },
  "whose way back has a loop": {
    route: routeVia([A, B, C], [C, A, B, A]),
    words: /^a path visits a visor twice$/,
    reason: "bad-route",
  },
  "with a hop twice": {
    route: twice(routeVia([A, B, C])),
    words: /^hop 2 does not begin where the one before ends$/,
    reason: "bad-route",
  },
  "with too many hops": {
    route: routeVia(MANY),
    words: new RegExp(`^a path of ${MAX_PATH_HOPS + 1} hops is too long, ${MAX_PATH_HOPS} are allowed$`),
    reason: "bad-route",
  },
  "over a visor that nobody knows": {
    route: routeVia([A, STRANGER, C]),
    words: new RegExp(`^failed to instantiate route id reserver: .* dial ${STRANGER}@136: .*not found in discovery`),
    reason: "dial-failed",
  },
};

for (const [what, { route, from, words, reason }] of Object.entries(REFUSALS)) {
  simulationTest(`createSetupNode() refuses a route ${what}, says why, and no visor hears of it`, async (sim) => {
    const { stack, visor, ask, messaging } = stage(sim);
    const tables = [A, B, C, D].map((key) => visor(key));
    assert.match(await sim.run(heard(ask(route, from === undefined ? {} : { from }))), words);
    assert.deepEqual(tables.flatMap(({ calls }) => calls), []);
    const toVisors = messaging.dials.filter((dial) => dial !== `${NODE}:${SETUP_NODE_PORT}`);
    if (reason === "bad-route") assert.deepEqual(toVisors, []);
    const figures = sim.runtimeFor("node").metrics.render();
    assert.ok(figures.includes(`skywire_setup_failures_total{reason="${reason}"} 1\n`), figures);
    await sim.run(stack.disposeAsync());
  });
}

simulationTest(
  "createSetupNode() refuses the requests of a visor beyond its quota, serves others, and the visor again after a minute",
  async (sim) => {
    const { stack, visor, ask } = stage(sim, { node: { limits: { requestsPerMinute: 3 } } });
    const [a] = [A, B].map((key) => visor(key)) as [ReturnType<typeof visor>];
    const askAll = async (): Promise<string[]> => {
      const words: string[] = [];
      for (let i = 0; i < 4; i++) words.push(await sim.run(heard(ask(routeVia([A, B])))));
      return words;
    };
    const refusal = `too many route requests from ${short(A)}`;
    const [first, second, third, fourth] = await askAll();
    assert.deepEqual([first, second, third], Array(3).fill(OUTCOME.accepted));
    assert.ok(fourth?.startsWith(refusal) && fourth.endsWith("come back in 20 s"), `${fourth}`);
    assert.equal(a.calls.length, 3, "a refused request costs the visors nothing");
    assert.equal(await sim.run(heard(ask(routeVia([B, A])))), OUTCOME.accepted);
    assert.match(await sim.run(heard(ask(routeVia([A, B]), { from: B }))), /itself may ask/);
    await sim.run(20_000);
    assert.equal(await sim.run(heard(ask(routeVia([A, B])))), OUTCOME.accepted, "after the time that it was told");
    await sim.run(60_000);
    assert.deepEqual((await askAll()).slice(0, 3), Array(3).fill(OUTCOME.accepted));
    const figures = sim.runtimeFor("node").metrics.render();
    assert.match(figures, /^skywire_setup_failures_total\{reason="too-many-requests"\} 2$/m);
    assert.match(figures, /^skywire_setup_routes_total 8$/m);
    assert.match(figures, /^skywire_setup_request_seconds_count 11$/m);
    await sim.run(stack.disposeAsync());
  },
);

simulationTest("createSetupNode() counts requests that are no good, too", async (sim) => {
  const { stack, visor, ask } = stage(sim, { node: { limits: { requestsPerMinute: 2 } } });
  [A, B].map((key) => visor(key));
  for (let i = 0; i < 2; i++) await sim.run(heard(ask(routeVia([A, B, A]))));
  assert.match(await sim.run(heard(ask(routeVia([A, B])))), /^too many route requests/);
  await sim.run(stack.disposeAsync());
});

/** A real rule table behind a gateway. */
function gateOf(sim: Simulation, options: { readonly key: PublicKey; readonly limits: RuleLimits }): {
  readonly handlers: RuleHandlers;
} & Disposable {
  const { key: localKey, limits } = options;
  const { clock } = sim.runtimeFor(localKey);
  const core = new Switch({ localKey, firstRouteId: 1_000 }, clock.monotonic());
  const gate = new RuleGate({ core, clock, localKey, isUp: () => true, limits });
  return {
    handlers: {
      reserveIds: (count, from) => gate.reserve(count, from),
      addIntermediaryRules: (rules, from) => gate.saveIntermediary(rules, from),
      addEdgeRules: (edge, setupNode) => void gate.saveEdge(edge, { setupNode }),
      removeRules: (ids) => gate.remove(ids),
    },
    [Symbol.dispose]: () => core[Symbol.dispose](),
  };
}

function intermediary(routeId: RouteId): Uint8Array {
  const nextTransportId = "00000000-0000-0000-0000-000000000001" as TransportId;
  return encodeRule({
    type: "intermediary",
    keepAliveNs: 30_000_000_000n,
    routeId,
    nextRouteId: routeId,
    nextTransportId,
  });
}

simulationTest("a visor lets a setup node reserve so many ids, and frees those that no rule followed", async (sim) => {
  const { stack, visor, messaging } = stage(sim);
  using gate = gateOf(sim, { key: A, limits: { reservedIds: 4 } });
  visor(A, gate.handlers);
  // Each over a stream of its own: one that is silent for 40 s is closed.
  const reserve = async (count: number): Promise<string> => {
    using client = new RpcClient(await messaging.of(NODE).dial(A, RULE_GATEWAY_PORT));
    return await heard(client.call(RESERVE_IDS, count));
  };
  assert.equal(await sim.run(reserve(3)), OUTCOME.accepted);
  const refusal = `failure code 4 (Reserve 2 route ids: ${short(NODE)}`;
  const words = await sim.run(reserve(2));
  assert.ok(words.startsWith(refusal) && words.endsWith("holds too many without rules)"), words);
  assert.equal(await sim.run(reserve(1)), OUTCOME.accepted);
  await sim.run(59_000);
  assert.notEqual(await sim.run(reserve(1)), OUTCOME.accepted);
  await sim.run(1_001);
  assert.equal(await sim.run(reserve(4)), OUTCOME.accepted);
  await sim.run(stack.disposeAsync());
});

simulationTest("a visor keeps so many rules of a setup node, and takes new ones when old ones expired", async (sim) => {
  const { stack, visor, messaging } = stage(sim);
  using gate = gateOf(sim, { key: A, limits: { rules: 4 } });
  visor(A, gate.handlers);
  const install = async (count: number): Promise<string> => {
    using client = new RpcClient(await messaging.of(NODE).dial(A, RULE_GATEWAY_PORT));
    let ids: readonly RouteId[] = [];
    const reserving = client.call(RESERVE_IDS, count).then((given) => ids = given);
    const words = await heard(reserving);
    return words === OUTCOME.accepted ? await heard(client.call(ADD_INTERMEDIARY_RULES, ids.map(intermediary))) : words;
  };
  assert.equal(await sim.run(install(3)), OUTCOME.accepted);
  const words = await sim.run(install(2));
  assert.match(words, /^failure code 4 \(Reserve route ids: .* has too many rules here, 4 are allowed\)$/);
  assert.equal(await sim.run(install(1)), OUTCOME.accepted);
  await sim.run(29_000);
  assert.notEqual(await sim.run(install(1)), OUTCOME.accepted);
  await sim.run(2_000);
  assert.equal(await sim.run(install(4)), OUTCOME.accepted, "their keep-alive of 30 s is over");
  await sim.run(stack.disposeAsync());
});

Deno.test("a setup node with too many rules that asks on and on has the table looked through once a second", async () => {
  const { clock, run } = createVirtualTime();
  let looks = 0;
  const core = { rules: () => (looks++, []) };
  const quota = new RuleQuota({ core, clock, maxRules: 1 });
  for (let i = 0; i < 50; i++) {
    assert.throws(() => quota.check(2, NODE), { code: "route/too-many-rules" });
    await run(100);
  }
  assert.equal(looks, 5);
});

simulationTest("a requester hears which visor refused its rules, and why", async (sim) => {
  const { stack, visor, ask } = stage(sim);
  using gate = gateOf(sim, { key: B, limits: { rules: 2 } });
  [A, C].map((key) => visor(key));
  visor(B, gate.handlers);
  assert.equal(await sim.run(heard(ask(routeVia([A, B, C])))), OUTCOME.accepted);
  const words = await sim.run(heard(ask(routeVia([A, B, C]))));
  const prefix = `failed to reserve route ids: reserve routeID from ${B} failed: failure code 4 (Reserve route ids: `;
  assert.ok(words.startsWith(prefix) && words.endsWith("has too many rules here, 2 are allowed)"), words);
  await sim.run(stack.disposeAsync());
});
