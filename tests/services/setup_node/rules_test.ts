import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeRule, encodeDescriptor, publicKeyOf, type Rule } from "../../../lib/core/mod.ts";
import {
  type Hop,
  invertDescriptor,
  parseHex,
  type PublicKey,
  type RouteId,
  SecretKey,
} from "../../../lib/types/mod.ts";
import {
  type BidirectionalRoute,
  decodeRouteDescriptor,
  type EdgeRules,
  KEEP_ALIVE_RANGE_NS,
} from "../../../lib/wire/setup_messages.ts";
import { transportId } from "../../../lib/wire/transport_entry.ts";
import { Fault } from "../../../lib/wire/fault.ts";
import {
  checkRouteAsV13,
  checkRouteStrictly,
  countRouteIds,
  makeRouteRules,
} from "../../../lib/services/setup_node/mod.ts";
import { MAX_PATH_HOPS } from "../../../lib/services/setup_node/rules.ts";
import { testVectors, type VectorCase } from "../../wire/vectors.ts";

testVectors("rule.json", {
  setup(data): void {
    const route = routeOf(data, BigInt(data.keep_alive_ns));
    assert.equal(checkRouteAsV13(route), undefined);
    const reserved: { pk: PublicKey; count: number; ids: RouteId[] }[] = data.reserved_ids;
    assert.deepEqual([...countRouteIds(route)], reserved.map(({ pk, count }) => [pk, count]));
    const rules = makeRouteRules(route, new Map(reserved.map(({ pk, ids }) => [pk, ids])));
    assert.ok(rules !== undefined);
    assert.deepEqual(showEdge(rules.initiator), data.initiator_edge_rules);
    assert.deepEqual(showEdge(rules.responder), data.responder_edge_rules);
    const between = [...rules.intermediary].map(([pk, list]) => ({ pk, rules: list.map((rule) => rule.toHex()) }));
    assert.deepEqual(between, data.intermediary_rules);
  },
  route_check(data): void {
    assert.equal(checkRouteAsV13(routeOf(data, 0n)) ?? null, data.error);
  },
  rule: { elsewhere: "core-rs/wire/tests" },
  rule_fields: { elsewhere: "core-rs/wire/tests" },
  malformed: { elsewhere: "core-rs/wire/tests" },
  summary: { elsewhere: "tests/wire/rule_summary_test.ts" },
  descriptor: { elsewhere: "core-rs/wire/tests" },
});

const VISORS = Array.from({ length: 8 }, (_, i) => publicKeyOf(new SecretKey(new Uint8Array(32).fill(i + 1))));
const KIND = fc.constantFrom("stcp", "dmsg", "stcpr");

/** A valid route over up to all visors, each path its own. */
const routes: fc.Arbitrary<BidirectionalRoute> = fc.tuple(
  fc.shuffledSubarray(VISORS, { minLength: 2 }),
  fc.shuffledSubarray(VISORS),
  fc.infiniteStream(KIND),
  fc.tuple(fc.nat(0xffff), fc.nat(0xffff)),
).map(([visors, others, kinds, [sourcePort, destinationPort]]) => {
  const [source, destination] = [visors[0] as PublicKey, visors.at(-1) as PublicKey];
  const back = [destination, ...others.filter((key) => key !== source && key !== destination), source];
  const path = (keys: readonly PublicKey[]): Hop[] =>
    keys.slice(1).map((to, i) => {
      const from = keys[i] as PublicKey;
      return { transportId: transportId(from, to, kinds.next().value as string), from, to };
    });
  return {
    descriptor: {
      source: { publicKey: source, port: sourcePort },
      destination: { publicKey: destination, port: destinationPort },
    },
    keepAliveNs: 30_000_000_000n,
    forward: path(visors),
    reverse: path(back),
  };
});

Deno.test("following next route ids visits exactly the hops of both paths, and every id is used once", () => {
  fc.assert(fc.property(routes, fc.integer({ min: 1, max: 2 ** 32 - 300 }), (route, firstId) => {
    assert.equal(checkRouteAsV13(route), undefined);
    assert.equal(checkRouteStrictly(route, { requester: route.descriptor.source.publicKey }), undefined);
    const reserved = new Map([...countRouteIds(route)].map(([visor, count]) => [
      visor,
      // Every visor has a table of its own, so ids may be the same everywhere.
      Array.from({ length: count }, (_, i) => firstId + i as RouteId),
    ]));
    const rules = makeRouteRules(route, reserved);
    assert.ok(rules !== undefined);
    const tables = tablesOf(route, rules);
    for (const [visor, ids] of reserved) {
      assert.deepEqual([...tables.get(visor)?.keys() ?? []].sort((a, b) => a - b), ids);
    }
    const [toResponder, toInitiator] = [decodeRule(rules.initiator.forward), decodeRule(rules.responder.forward)];
    assert.deepEqual(follow(tables, { at: route.descriptor.source.publicKey, rule: toResponder }), {
      hops: route.forward,
      last: decodeRule(rules.responder.consume),
    });
    assert.deepEqual(follow(tables, { at: route.descriptor.destination.publicKey, rule: toInitiator }), {
      hops: route.reverse,
      last: decodeRule(rules.initiator.consume),
    });
    assert.deepEqual(rules.initiator.descriptor, invertDescriptor(rules.responder.descriptor));
    for (const edge of [rules.initiator, rules.responder]) {
      const [forward, consume] = [decodeRule(edge.forward), decodeRule(edge.consume)];
      assert.ok(forward.type === "forward" && consume.type === "consume");
      assert.deepEqual(consume.descriptor, edge.descriptor);
      assert.deepEqual(forward.descriptor, invertDescriptor(edge.descriptor));
      assert.ok(forward.keepAliveNs === route.keepAliveNs && consume.keepAliveNs === route.keepAliveNs);
    }
    const between = [...rules.intermediary.values()].reduce((count, list) => count + list.length, 0);
    assert.equal(between, route.forward.length + route.reverse.length - 2);
  }));
});

Deno.test("makeRouteRules() gives nothing when a visor gave too few ids", () => {
  fc.assert(fc.property(routes, fc.nat(), (route, pick) => {
    const counts = [...countRouteIds(route)];
    const reserved = new Map(counts.map(([visor, count], i) => [
      visor,
      Array.from({ length: i === pick % counts.length ? count - 1 : count }, (_, id) => id + 1 as RouteId),
    ]));
    assert.equal(makeRouteRules(route, reserved), undefined);
  }));
});

Deno.test("checkRouteStrictly() refuses what v1.3 lets pass", () => {
  const route = fc.sample(routes.filter((any) => any.forward.length > 2), {
    numRuns: 1,
    seed: 1,
  })[0] as BidirectionalRoute;
  const requester = route.descriptor.source.publicKey;
  const check = (change: Partial<BidirectionalRoute>): string | undefined =>
    checkRouteStrictly({ ...route, ...change }, { requester });
  const [first, second, ...rest] = route.forward as [Hop, Hop, ...Hop[]];
  assert.equal(check({}), undefined);
  assert.match(
    checkRouteStrictly(route, { requester: VISORS.find((key) => key !== requester) as PublicKey }) ?? "",
    /only/,
  );
  assert.match(check({ keepAliveNs: KEEP_ALIVE_RANGE_NS.min - 1n }) ?? "", /keep-alive/);
  assert.match(check({ keepAliveNs: KEEP_ALIVE_RANGE_NS.max + 1n }) ?? "", /keep-alive/);
  assert.match(check({ forward: [first, ...rest] }) ?? "", /does not begin/);
  assert.match(
    check({ forward: [{ ...first, transportId: second.transportId }, second, ...rest] }) ?? "",
    /does not join/,
  );
  const back = { transportId: first.transportId, from: first.to, to: first.from };
  assert.match(check({ forward: [first, back, first, second, ...rest] }) ?? "", /twice/);
  assert.match(check({ reverse: new Array(MAX_PATH_HOPS + 1).fill(first) }) ?? "", /too long/);
});

Deno.test("checkRouteStrictly() takes transports of kinds that nobody has heard of", () => {
  const route = fc.sample(routes, { numRuns: 1, seed: 2 })[0] as BidirectionalRoute;
  const ofPigeons = (path: readonly Hop[]): Hop[] =>
    path.map((hop) => ({ ...hop, transportId: transportId(hop.from, hop.to, "pigeon") }));
  const carried = { ...route, forward: ofPigeons(route.forward), reverse: ofPigeons(route.reverse) };
  assert.equal(checkRouteStrictly(carried, { requester: route.descriptor.source.publicKey }), undefined);
});

/** What each visor's table holds once all rules are installed. */
function tablesOf(
  route: BidirectionalRoute,
  rules: NonNullable<ReturnType<typeof makeRouteRules>>,
): Map<PublicKey, Map<number, Rule>> {
  const tables = new Map<PublicKey, Map<number, Rule>>();
  const save = (visor: PublicKey, bytes: Uint8Array): void => {
    const table = tables.get(visor) ?? new Map<number, Rule>();
    const rule = decodeRule(bytes);
    assert.ok(!table.has(rule.routeId), "An id is used twice at one visor");
    tables.set(visor, table.set(rule.routeId, rule));
  };
  const { source, destination } = route.descriptor;
  for (const bytes of [rules.initiator.forward, rules.initiator.consume]) save(source.publicKey, bytes);
  for (const bytes of [rules.responder.forward, rules.responder.consume]) save(destination.publicKey, bytes);
  for (const [visor, list] of rules.intermediary) for (const bytes of list) save(visor, bytes);
  return tables;
}

/** Sends a packet along: who hands it to whom over which transport, and the rule that it ends at. */
function follow(
  tables: ReadonlyMap<PublicKey, ReadonlyMap<number, Rule>>,
  start: { readonly at: PublicKey; readonly rule: Rule },
): { hops: Hop[]; last: Rule } {
  const hops: Hop[] = [];
  let { at, rule } = start;
  while (rule.type !== "consume") {
    const next = rule.nextTransportId;
    const to = VISORS.find((key) =>
      key !== at && ["stcp", "dmsg", "stcpr"].some((kind) => transportId(at, key, kind) === next)
    );
    hops.push({ transportId: next, from: at, to: to as PublicKey });
    const found: Rule | undefined = tables.get(to as PublicKey)?.get(rule.nextRouteId);
    assert.ok(found !== undefined, "The next visor has no such rule");
    [at, rule] = [to as PublicKey, found];
  }
  return { hops, last: rule };
}

function routeOf(data: VectorCase, keepAliveNs: bigint): BidirectionalRoute {
  const hops = (list: { transport_id: Hop["transportId"]; from: PublicKey; to: PublicKey }[]): Hop[] =>
    list.map(({ transport_id, from, to }) => ({ transportId: transport_id, from, to }));
  const descriptor = decodeRouteDescriptor(parseHex(data.descriptor));
  if (descriptor instanceof Fault) throw new Error(descriptor.message);
  return { descriptor, keepAliveNs, forward: hops(data.forward_hops), reverse: hops(data.reverse_hops) };
}

function showEdge(edge: EdgeRules): unknown {
  return {
    descriptor: encodeDescriptor(edge.descriptor).toHex(),
    forward: edge.forward.toHex(),
    reverse: edge.consume.toHex(),
  };
}
