/** What setup nodes may do to the rule table, against the real one. */

import assert from "node:assert/strict";
import { encodeRule, generateSecretKey, publicKeyOf, type Rule, Switch } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { RuleGate } from "../../lib/routing/rule_gate.ts";
import { invertDescriptor, type PublicKey, type RouteId } from "../../lib/types/mod.ts";
import { createSeededRandom, createVirtualTime, type VirtualTime } from "../fakes/mod.ts";
import { transportId } from "./line.ts";

const random = createSeededRandom("rule-gate");
const [LOCAL, REMOTE, SETUP, OTHER] = Array.from({ length: 4 }, () => {
  using secret = generateSecretKey(random);
  return publicKeyOf(secret);
}) as [PublicKey, PublicKey, PublicKey, PublicKey];

const DESCRIPTOR = { source: { publicKey: REMOTE, port: 50_000 }, destination: { publicKey: LOCAL, port: 3 } };
const KEEP_ALIVE_NS = 30_000_000_000n;

interface World extends Disposable {
  readonly gate: RuleGate;
  readonly core: Switch;
  readonly time: VirtualTime;
  /** Route ids in the table. */
  ids(): RouteId[];
}

function makeWorld(): World {
  const time = createVirtualTime();
  const core = new Switch({ localKey: LOCAL, firstRouteId: 1_000 }, time.clock.monotonic());
  const gate = new RuleGate({ core, clock: time.clock, localKey: LOCAL, isUp: (id) => id === transportId(1) });
  return {
    gate,
    core,
    time,
    ids: () => core.rules(time.clock.monotonic()).map(({ rule }) => rule.routeId).sort((a, b) => a - b),
    [Symbol.dispose]: () => core[Symbol.dispose](),
  };
}

function intermediary(routeId: RouteId, more: Partial<Extract<Rule, { type: "intermediary" }>> = {}): Uint8Array {
  const next = { nextRouteId: 5 as RouteId, nextTransportId: transportId(1) };
  return encodeRule({ type: "intermediary", keepAliveNs: KEEP_ALIVE_NS, routeId, ...next, ...more });
}

function forward(routeId: RouteId, descriptor = invertDescriptor(DESCRIPTOR)): Uint8Array {
  const next = { nextRouteId: 5 as RouteId, nextTransportId: transportId(1) };
  return encodeRule({ type: "forward", keepAliveNs: KEEP_ALIVE_NS, routeId, descriptor, ...next });
}

function consume(routeId: RouteId, descriptor = DESCRIPTOR): Uint8Array {
  return encodeRule({ type: "consume", keepAliveNs: KEEP_ALIVE_NS, routeId, descriptor });
}

function refuses(work: () => unknown, code: string): void {
  assert.throws(work, (error) => {
    assert.ok(hasCode(error, code), `wanted ${code}, got ${error}`);
    return true;
  });
}

Deno.test("RuleGate saves rules for ids that their setup node reserved, once each", () => {
  using world = makeWorld();
  const [a, b] = world.gate.reserve(2, SETUP) as [RouteId, RouteId];
  world.gate.saveIntermediary([intermediary(a), intermediary(b)], SETUP);
  assert.deepEqual(world.ids(), [a, b]);
  refuses(() => world.gate.saveIntermediary([intermediary(a)], SETUP), "rule/not-reserved");
});

Deno.test("RuleGate refuses ids that nobody or another setup node reserved", () => {
  using world = makeWorld();
  const [id] = world.gate.reserve(1, SETUP) as [RouteId];
  refuses(() => world.gate.saveIntermediary([intermediary(id)], OTHER), "rule/not-reserved");
  refuses(() => world.gate.saveIntermediary([intermediary((id + 1) as RouteId)], SETUP), "rule/not-reserved");
  assert.deepEqual(world.ids(), []);
});

Deno.test("RuleGate saves all rules of a call or none", () => {
  using world = makeWorld();
  const [a, b] = world.gate.reserve(2, SETUP) as [RouteId, RouteId];
  refuses(() => world.gate.saveIntermediary([intermediary(a), forward(b)], SETUP), "rule/wrong-type");
  refuses(() => world.gate.saveIntermediary([intermediary(a), intermediary(a)], SETUP), "rule/not-reserved");
  assert.deepEqual(world.ids(), []);
  world.gate.saveIntermediary([intermediary(a), intermediary(b)], SETUP);
});

Deno.test("RuleGate refuses rules that are malformed, lead nowhere or live too long", () => {
  using world = makeWorld();
  const [id] = world.gate.reserve(1, SETUP) as [RouteId];
  const save = (rule: Uint8Array): () => void => () => world.gate.saveIntermediary([rule], SETUP);
  for (let length = 0; length < 33; length++) refuses(save(intermediary(id).subarray(0, length)), "rule/length");
  const unknown = intermediary(id);
  unknown[8] = 3;
  refuses(save(unknown), "rule/type");
  refuses(save(intermediary(id, { nextTransportId: transportId(2) })), "rule/unknown-transport");
  for (const keepAliveNs of [0n, -1n, 999_999_999n, 86_400_000_000_001n]) {
    refuses(save(intermediary(id, { keepAliveNs })), "rule/bad-keep-alive");
  }
  assert.deepEqual(world.ids(), []);
});

Deno.test("RuleGate takes edge rules that describe one connection which ends here", () => {
  using world = makeWorld();
  const [a, b] = world.gate.reserve(2, SETUP) as [RouteId, RouteId];
  const edge = { descriptor: DESCRIPTOR, forward: forward(a), consume: consume(b) };
  const elsewhere = invertDescriptor(DESCRIPTOR);
  const otherPort = { ...DESCRIPTOR, source: { publicKey: REMOTE, port: 50_001 } };
  const save = (change: Partial<typeof edge>) => () =>
    world.gate.saveEdge({ ...edge, ...change }, { setupNode: SETUP });
  refuses(save({ descriptor: elsewhere }), "rule/wrong-descriptor");
  refuses(save({ consume: consume(b, otherPort) }), "rule/wrong-descriptor");
  refuses(save({ forward: forward(a, otherPort) }), "rule/wrong-descriptor");
  refuses(save({ forward: forward(a, DESCRIPTOR), consume: consume(b, elsewhere) }), "rule/wrong-descriptor");
  refuses(
    save({ descriptor: elsewhere, forward: forward(a, DESCRIPTOR), consume: consume(b, elsewhere) }),
    "rule/wrong-descriptor",
  );
  refuses(save({ forward: consume(a) }), "rule/wrong-type");
  refuses(save({ consume: consume(a) }), "rule/not-reserved");
  refuses(
    () => world.gate.saveEdge(edge, { setupNode: SETUP, descriptor: otherPort }),
    "rule/wrong-descriptor",
  );
  assert.deepEqual(world.ids(), []);
  const saved = world.gate.saveEdge(edge, { setupNode: SETUP, descriptor: DESCRIPTOR });
  assert.deepEqual([saved.forward.routeId, saved.consume.routeId], [a, b]);
  assert.deepEqual(world.ids(), [a, b]);
});

Deno.test("RuleGate forgets reservations that no rule followed for a minute", async () => {
  using world = makeWorld();
  const [early] = world.gate.reserve(1, SETUP) as [RouteId];
  await world.time.run(30_000);
  const [late] = world.gate.reserve(1, SETUP) as [RouteId];
  await world.time.run(30_001);
  refuses(() => world.gate.saveIntermediary([intermediary(early)], SETUP), "rule/not-reserved");
  world.gate.saveIntermediary([intermediary(late)], SETUP);
});

Deno.test("RuleGate lets a setup node hold so many ids without rules, and forgets them by and by", async () => {
  using world = makeWorld();
  for (let i = 0; i < 16; i++) world.gate.reserve(255, SETUP);
  refuses(() => world.gate.reserve(1, SETUP), "route/too-many-reservations");
  assert.equal(world.gate.reserve(255, OTHER).length, 255, "another setup node has a count of its own");
  await world.time.run(60_001);
  assert.equal(world.gate.reserve(1, SETUP).length, 1);
});

Deno.test("RuleGate.remove() forgets reserved ids and saved rules", () => {
  using world = makeWorld();
  const [a, b] = world.gate.reserve(2, SETUP) as [RouteId, RouteId];
  world.gate.saveIntermediary([intermediary(a)], SETUP);
  world.gate.remove([a, b]);
  assert.deepEqual(world.ids(), []);
  refuses(() => world.gate.saveIntermediary([intermediary(b)], SETUP), "rule/not-reserved");
});
