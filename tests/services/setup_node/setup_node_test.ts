import assert from "node:assert/strict";
import { decodeRule, publicKeyOf } from "../../../lib/core/mod.ts";
import { ClosedError, type RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import { type Hop, parseHex, type PublicKey, type RouteId, SecretKey } from "../../../lib/types/mod.ts";
import { createSetupClient } from "../../../lib/routing/setup/client.ts";
import { createSetupGateway, type RuleHandlers, type SetupGateway } from "../../../lib/routing/setup/gateway.ts";
import type { KeyedNetwork, KeyedStream } from "../../../lib/overlay/mod.ts";
import { SILENCE_MS } from "../../../lib/overlay/rpc/stream_acceptor.ts";
import { GobDecoder } from "../../../lib/wire/gob/mod.ts";
import { gobRpcResponse } from "../../../lib/wire/rpc_messages.ts";
import { RpcClient, type RpcHandler, rpcHandler, serveRpc } from "../../../lib/overlay/rpc/mod.ts";
import {
  ADD_EDGE_RULES,
  ADD_INTERMEDIARY_RULES,
  type BidirectionalRoute,
  decodeRouteDescriptor,
  DIAL_ROUTE_GROUP,
  type EdgeRules,
  gobRouteIds,
  REMOVE_RULES,
  RESERVE_IDS,
  RULE_GATEWAY_PORT,
  SETUP_NODE_PORT,
} from "../../../lib/wire/setup_messages.ts";
import { createSetupNode } from "../../../lib/services/setup_node/mod.ts";
import { createMemoryMessaging } from "./memory_messaging.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { unwrap } from "../../wire/gob/gob_json.ts";
import { normalForm } from "../../wire/gob/normal_form.ts";
import { vectorCases } from "../../wire/vectors.ts";
import { A, B, C, D, NODE, routeVia, stage, STRANGER, Table } from "./stage.ts";
import { at } from "../../../lib/types/at.ts";

for (const data of vectorCases("gob.json").filter((data) => data.port === 36)) {
  simulationTest(`createSetupNode() calls visors as v1.3's setup node does: ${data.name}`, async (sim) => {
    const [call] = data.calls;
    const route = routeOfJson(call.args);
    // The transport ids of the file are random.
    const { stack, messaging, ask } = stage(sim);
    const sent = new Map<PublicKey, string>();
    for (const connection of data.connections_to_port_136) {
      const network = messaging.of(connection.visor);
      const recorded: KeyedNetwork = {
        ...network,
        listen: (port) =>
          recording(
            network.listen(port),
            (hex) => sent.set(connection.visor, (sent.get(connection.visor) ?? "") + hex),
          ),
      };
      const rules = scripted(parseHex(connection.server_bytes));
      const runtime = sim.runtimeFor(connection.visor);
      stack.use(createSetupGateway({ runtime, messaging: recorded, setupNodes: [NODE], rules }));
    }
    const answer = ask(route).then((rules) => ({ rules }), (error: RefusedError) => ({ error: error.details.message }));
    const result = await sim.run(answer);
    if (call.error === null) assert.deepEqual(result, { rules: edgeOfJson(call.reply) });
    else assert.deepEqual(result, { error: call.error });
    await sim.run(stack.disposeAsync());
    for (const { visor, client_bytes } of data.connections_to_port_136) {
      const bytes = parseHex(sent.get(visor) ?? "");
      assert.deepEqual(normalForm(bytes), normalForm(parseHex(client_bytes)));
    }
  });
}

simulationTest("createSetupNode() installs intermediaries, then the responder, then answers", async (sim) => {
  const { stack, visor, ask } = stage(sim);
  const order: string[] = [];
  const [a, b, c] = [A, B, C].map((key) => {
    const table = new Table();
    visor(key, {
      reserveIds: (count) => table.reserveIds(count),
      addIntermediaryRules: async (rules) => {
        await new Promise<void>((resolve) => sim.runtimeFor(key).timers.after(50, resolve));
        table.addIntermediaryRules(rules);
        order.push("intermediary");
      },
      addEdgeRules: (edge) => {
        table.addEdgeRules(edge);
        order.push("edge");
      },
    });
    return table;
  }) as [Table, Table, Table];
  const edge = await sim.run(ask(routeVia([A, B, C])));
  assert.deepEqual(order, ["intermediary", "edge"]);
  assert.deepEqual([a.rules.size, b.rules.size, c.rules.size], [0, 2, 2]);
  const [forward, consume] = [edge.forward, edge.consume].map((bytes) => decodeRule(bytes));
  assert.ok(forward?.type === "forward" && consume?.type === "consume");
  assert.equal(edge.descriptor.destination.publicKey, A);
  const middle = b.rules.get(forward.nextRouteId);
  assert.ok(middle?.type === "intermediary");
  assert.equal(c.rules.get(middle.nextRouteId)?.type, "consume");
  await sim.run(stack.disposeAsync());
});

simulationTest(
  "createSetupNode() refuses a requester that is not the source, and routes that are no routes",
  async (sim) => {
    const { stack, visor, ask, messaging } = stage(sim);
    const tables = [A, B, C].map((key) => visor(key));
    const refusal = (route: BidirectionalRoute, from?: PublicKey): Promise<unknown> =>
      sim.run(ask(route, from === undefined ? {} : { from }).then(() => "accepted", (error) => error.details.message));
    assert.match(String(await refusal(routeVia([A, B, C]), STRANGER)), /itself may ask/);
    assert.match(String(await refusal({ ...routeVia([A, B, C]), forward: [] })), /does not have forward hops/);
    assert.match(String(await refusal(routeVia([A, B, A, C]))), /twice/);
    assert.ok(tables.every((table) => table.calls.length === 0));
    assert.ok(messaging.dials.every((dial) => dial === `${NODE}:${SETUP_NODE_PORT}`));
    await sim.run(stack.disposeAsync());
  },
);

simulationTest("createSetupNode() takes back what it installed when a later step fails", async (sim) => {
  const { stack, visor, ask } = stage(sim);
  const [a, b] = [visor(A), visor(B)];
  const c = new Table();
  visor(C, {
    reserveIds: (count) => c.reserveIds(count),
    addIntermediaryRules: () => {},
    addEdgeRules: () => {
      throw new UnavailableError("route/too-many-handshakes", "Accept a route: try later");
    },
  });
  const message = await sim.run(ask(routeVia([A, B, C])).then(() => "accepted", (error) => error.details.message));
  assert.equal(
    message,
    "failed to broadcast rules to destination router: failure code 1 (Accept a route: try later)",
  );
  await sim.run(stack.disposeAsync());
  assert.deepEqual(b.calls, ["reserve", "intermediary", "remove"]);
  assert.deepEqual(a.calls, ["reserve", "remove"]);
  assert.equal(b.rules.size, 0);
});

simulationTest("createSetupNode() says who could not be dialled, and calls nobody then", async (sim) => {
  const { stack, visor, ask } = stage(sim);
  const a = visor(A);
  const message = await sim.run(ask(routeVia([A, B])).then(() => "accepted", (error) => error.details.message));
  assert.match(
    message,
    new RegExp(`^failed to instantiate route id reserver: a dial attempt failed with: dial ${B}@136: `),
  );
  assert.deepEqual(a.calls, []);
  await sim.run(stack.disposeAsync());
});

simulationTest("createSetupNode() does not wait for ever for a silent visor", async (sim) => {
  const { visor, ask } = stage(sim);
  visor(A);
  visor(B, {
    ...new Table(),
    reserveIds: () => new Promise(() => {}),
    addIntermediaryRules: () => {},
    addEdgeRules: () => {},
  });
  const startedMs = sim.nowMs;
  const message = await sim.run(ask(routeVia([A, B])).then(() => "accepted", (error) => error.details.message));
  assert.match(message, /no end within 10000 ms/);
  assert.ok(sim.nowMs - startedMs < 10_100);
});

simulationTest("createSetupNode() gives a request no more than 30 s", async (sim) => {
  const messaging = createMemoryMessaging();
  const slowly = <T>(work: () => T | Promise<T>, ms: number): Promise<T> =>
    new Promise((resolve) => sim.runtimeFor("node").timers.after(ms, () => resolve(work())));
  const network = messaging.of(NODE);
  // Each step is within its own limit: dialling 15 s of 20 s, reserving and installing 9.9 s of 10 s.
  const node: KeyedNetwork = { ...network, dial: (...target) => slowly(() => network.dial(...target), 15_000) };
  await using stack = new AsyncDisposableStack();
  stack.use(createSetupNode({ runtime: sim.runtimeFor("node"), messaging: node }));
  for (const key of [A, B, C]) {
    const table = new Table();
    const rules: RuleHandlers = {
      reserveIds: (count) => slowly(() => table.reserveIds(count), 9_900),
      addIntermediaryRules: () => slowly(() => {}, 9_900),
      addEdgeRules: () => {},
    };
    stack.use(
      createSetupGateway({ runtime: sim.runtimeFor(key), messaging: messaging.of(key), setupNodes: [NODE], rules }),
    );
  }
  const client = stack.use(createSetupClient({ runtime: sim.runtimeFor(A), messaging: messaging.of(A) }));
  const startedMs = sim.nowMs;
  const asked = client.dialRouteGroup(NODE, routeVia([A, B, C])).then(
    () => "accepted",
    (error) => error.details.message,
  );
  assert.match(await sim.run(asked), /no end within/);
  assert.ok(sim.nowMs - startedMs >= 30_000 && sim.nowMs - startedMs <= 30_100);
  await sim.run(10_000);
  await sim.run(stack.disposeAsync());
});

/** A visor whose gateway answers what no visor of ours would. */
function oddVisor(
  { messaging, stack }: Pick<ReturnType<typeof stage>, "messaging" | "stack">,
  key: PublicKey,
  handlers: readonly RpcHandler[],
): void {
  const listener = messaging.of(key).listen(RULE_GATEWAY_PORT);
  stack.defer(() => listener.close());
  void (async () => {
    for await (const stream of listener) void serveRpc(stream, { handlers });
  })();
}

const GOOD_IDS = rpcHandler(RESERVE_IDS, (count) => Array.from({ length: count }, (_, i) => (i + 1) as RouteId));

simulationTest("createSetupNode() makes no rules of one id twice, nor of 0, which is the links' own", async (sim) => {
  for (const idOf of [(i: number) => i, () => 7]) {
    const parts = stage(sim);
    parts.visor(A);
    parts.visor(C);
    oddVisor(parts, B, [
      rpcHandler(RESERVE_IDS, (count) => Array.from({ length: count }, (_, i) => idOf(i) as RouteId)),
      rpcHandler(ADD_INTERMEDIARY_RULES, () => true),
    ]);
    const message = await sim.run(
      parts.ask(routeVia([A, B, C])).then(() => "accepted", (error) => error.details.message),
    );
    assert.match(message, /gave some that cannot be used/);
    await sim.run(parts.stack.disposeAsync());
  }
});

simulationTest(
  "createSetupNode() takes no for an answer, from a visor in the middle and from the last one",
  async (sim) => {
    for (const refusing of [ADD_INTERMEDIARY_RULES, ADD_EDGE_RULES] as const) {
      const parts = stage(sim);
      parts.visor(A);
      for (const key of [B, C]) {
        oddVisor(parts, key, [
          GOOD_IDS,
          rpcHandler(ADD_INTERMEDIARY_RULES, () => refusing !== ADD_INTERMEDIARY_RULES),
          rpcHandler(ADD_EDGE_RULES, () => refusing !== ADD_EDGE_RULES),
        ]);
      }
      const asked = parts.ask(routeVia([A, B, C])).then(() => "accepted", (error) => error.details.message);
      assert.match(await sim.run(asked), /not take its rules|were not taken/, refusing.name);
      await sim.run(parts.stack.disposeAsync());
    }
  },
);

simulationTest("createSetupNode() closes a stream that comes about when its request has failed", async (sim) => {
  const messaging = createMemoryMessaging();
  const network = messaging.of(NODE);
  let closed = 0;
  const node: KeyedNetwork = {
    ...network,
    // B's stream takes longer than the failure of C, which is not there.
    dial: async (remote, port) => {
      if (remote === B) await new Promise<void>((resolve) => sim.runtimeFor("node").timers.after(3_000, resolve));
      const stream = await network.dial(remote, port);
      return { ...stream, close: () => (closed += Number(remote === B), stream.close()) };
    },
  };
  await using stack = new AsyncDisposableStack();
  stack.use(createSetupNode({ runtime: sim.runtimeFor("node"), messaging: node }));
  const rules = new Table();
  for (const key of [A, B]) {
    stack.use(
      createSetupGateway({ runtime: sim.runtimeFor(key), messaging: messaging.of(key), setupNodes: [NODE], rules }),
    );
  }
  const client = stack.use(createSetupClient({ runtime: sim.runtimeFor(A), messaging: messaging.of(A) }));
  const asked = client.dialRouteGroup(NODE, routeVia([A, B, C])).then(() => "accepted", () => "refused");
  assert.equal(await sim.run(asked), "refused");
  await sim.run(5_000);
  assert.equal(closed, 1);
  await sim.run(stack.disposeAsync());
});

simulationTest("createSetupNode() serves many at once, but no more than some of one requester", async (sim) => {
  const { stack, visor, ask, messaging } = stage(sim);
  for (const key of [A, B, C, D]) visor(key);
  const asked = [routeVia([A, B]), routeVia([B, A]), routeVia([C, B, D]), routeVia([D, A, C])].map((route) =>
    ask(route)
  );
  assert.equal((await sim.run(Promise.all(asked))).length, 4);
  const streams = await Promise.all(Array.from({ length: 9 }, () => messaging.of(A).dial(NODE, SETUP_NODE_PORT)));
  // One too many: it is closed at once, the others stay open until they have been silent for too long.
  assert.equal(await sim.run(streams[8]?.read(new Uint8Array(1)) as Promise<number | null>), null);
  const startedMs = sim.nowMs;
  assert.equal(await sim.run(streams[0]?.read(new Uint8Array(1)) as Promise<number | null>), null);
  assert.equal(sim.nowMs - startedMs, SILENCE_MS);
  await sim.run(stack.disposeAsync());
});

simulationTest(
  "createSetupNode() serves those who ask when others keep all its streams and say nothing",
  async (sim) => {
    const { messaging, ask, visor } = stage(sim);
    [A, B].forEach((key) => visor(key));
    const strangers = Array.from(
      { length: 32 },
      (_, i) => publicKeyOf(new SecretKey(new Uint8Array(32).fill(100 + i))),
    );
    const silent = strangers.flatMap((key) => Array.from({ length: 8 }, () => key));
    const streams = await Promise.all(silent.map((key) => messaging.of(key).dial(NODE, SETUP_NODE_PORT)));
    assert.ok(await sim.run(ask(routeVia([A, B]))));
    assert.equal(await sim.run(at(streams, 0).read(new Uint8Array(1))), null, "the first to be silent went");
  },
);

simulationTest("createSetupNode() and createSetupClient() keep their streams for the next request", async (sim) => {
  const { stack, visor, messaging } = stage(sim);
  const [a] = [A, B, C].map((key) => visor(key)) as [Table];
  const client = createSetupClient({ runtime: sim.runtimeFor(A), messaging: messaging.of(A) });
  for (const route of [routeVia([A, B, C]), routeVia([A, B]), routeVia([A, C, B])]) {
    await sim.run(client.dialRouteGroup(NODE, route));
  }
  assert.equal(messaging.dials.length, 4, "one to the setup node, and one to each visor");
  assert.deepEqual(a.calls, ["reserve", "reserve", "reserve"]);
  await sim.run(
    Promise.all([client.dialRouteGroup(NODE, routeVia([A, B])), client.dialRouteGroup(NODE, routeVia([A, B]))]),
  );
  assert.equal(messaging.dials.length, 7, "two requests at once take two streams each");
  client[Symbol.dispose]();
  await sim.run(stack.disposeAsync());
  assert.equal(sim.pendingTimers, 0);
});

simulationTest(
  "createSetupNode() dials a visor afresh that was restarted, and the requester notices nothing",
  async (sim) => {
    const { stack, visor, ask, messaging } = stage(sim);
    visor(A);
    const gateway = (table: Table): SetupGateway =>
      createSetupGateway({ runtime: sim.runtimeFor(B), messaging: messaging.of(B), setupNodes: [NODE], rules: table });
    const [before, after] = [new Table(), new Table()];
    const first = gateway(before);
    await sim.run(ask(routeVia([A, B])));
    await sim.run(first.close());
    const second = stack.use(gateway(after));
    await sim.run(ask(routeVia([A, B])));
    assert.deepEqual([before.calls, after.calls], [["reserve", "edge"], ["reserve", "edge"]]);
    // And once more in the very moment of a request.
    const restarted = second.close();
    stack.use(gateway(after));
    await sim.run(Promise.all([ask(routeVia([A, B])), restarted]));
    assert.equal(after.calls.length, 4);
    await sim.run(stack.disposeAsync());
  },
);

simulationTest("createSetupNode() keeps no stream of a request that failed", async (sim) => {
  const { stack, visor, ask, messaging } = stage(sim);
  visor(A);
  const table = new Table();
  let refuses = true;
  visor(B, {
    reserveIds: (count) => table.reserveIds(count),
    addIntermediaryRules: () => {},
    addEdgeRules: () => {
      if (refuses) throw new UnavailableError("route/too-many-handshakes", "Accept a route: try later");
    },
  });
  await assert.rejects(sim.run(ask(routeVia([A, B]))));
  refuses = false;
  await sim.run(ask(routeVia([A, B])));
  assert.equal(messaging.dials.length, 6);
  await sim.run(stack.disposeAsync());
});

simulationTest(
  "createSetupNode() closes a requester's stream that waits between requests when others need the room",
  async (sim) => {
    const { stack, visor, messaging } = stage(sim);
    for (const key of [A, B]) visor(key);
    const open = async (): Promise<RpcClient> => new RpcClient(await messaging.of(A).dial(NODE, SETUP_NODE_PORT));
    const clients = await sim.run(Promise.all(Array.from({ length: 8 }, open)));
    await sim.run(at(clients, 2).call(DIAL_ROUTE_GROUP, routeVia([A, B])));
    await sim.run(at(clients, 1).call(DIAL_ROUTE_GROUP, routeVia([A, B])));
    const [ninth, tenth, eleventh] = [await open(), await open(), await open()];
    await sim.run(1);
    const isClosed = [...clients, ninth, tenth, eleventh].map((client) => client.isClosed);
    assert.deepEqual(isClosed, [false, true, true, false, false, false, false, false, false, false, true]);
    await sim.run(ninth.call(DIAL_ROUTE_GROUP, routeVia([A, B])));
    await sim.run(stack.disposeAsync());
  },
);

simulationTest("createSetupGateway() closes the streams of strangers unread", async (sim) => {
  const { stack, visor, messaging } = stage(sim);
  const table = visor(A);
  using client = new RpcClient(await messaging.of(STRANGER).dial(A, RULE_GATEWAY_PORT));
  await assert.rejects(sim.run(client.call(RESERVE_IDS, 1)), UnavailableError);
  assert.deepEqual(table.calls, []);
  await sim.run(stack.disposeAsync());
});

simulationTest(
  "createSetupGateway() answers failures in v1.3's form, and removes only what the stream reserved",
  async (sim) => {
    const { stack, visor, messaging } = stage(sim);
    const table = new Table();
    let failure: Error | undefined;
    visor(A, {
      reserveIds: (count) => {
        if (failure !== undefined) throw failure;
        return table.reserveIds(count);
      },
      addIntermediaryRules: () => {},
      addEdgeRules: () => {},
      removeRules: (ids) => table.removeRules(ids),
    });
    const open = async (): Promise<RpcClient> => new RpcClient(await messaging.of(NODE).dial(A, RULE_GATEWAY_PORT));
    const [client, other] = [await open(), await open()];
    const messageOf = (call: Promise<unknown>): Promise<unknown> =>
      sim.run(call.then((value) => value, (error: RefusedError) => error.details.message));
    const ids = await sim.run(client.call(RESERVE_IDS, 2));
    assert.match(String(await messageOf(other.call(REMOVE_RULES, ids))), /^failure code 1 \(Remove rules: /);
    assert.equal(await messageOf(client.call(REMOVE_RULES, ids)), true);
    const [earlier] = [await sim.run(client.call(RESERVE_IDS, 2)), await sim.run(client.call(RESERVE_IDS, 2))];
    assert.match(String(await messageOf(client.call(REMOVE_RULES, earlier))), /by the last request of this stream/);
    failure = new UnavailableError("routing/ids-exhausted", "Reserve route ids: none is left");
    assert.equal(await messageOf(client.call(RESERVE_IDS, 1)), "failure code 4 (no available routeIDs)");
    failure = new ClosedError("route/closed", "Use the router: it was closed");
    assert.equal(await messageOf(client.call(RESERVE_IDS, 1)), "failure code 4 (Use the router: it was closed)");
    failure = new TypeError("nobody's business");
    assert.equal(await messageOf(client.call(RESERVE_IDS, 1)), "failure code 4 (internal error)");
    await sim.run(stack.disposeAsync());
    assert.ok(client.isClosed && other.isClosed);
  },
);

/** Gives what a v1.3 visor answered, call by call. */
function scripted(serverBytes: Uint8Array): RuleHandlers {
  const decoder = new GobDecoder();
  decoder.push(serverBytes);
  return {
    reserveIds(): readonly RouteId[] {
      assert.equal(unwrap(decoder.read(gobRpcResponse)).ServiceMethod, RESERVE_IDS.name);
      return unwrap(decoder.read(gobRouteIds));
    },
    addIntermediaryRules: () => {},
    addEdgeRules: () => {},
  };
}

/** Notes what arrives on accepted streams. */
function recording(
  listener: ReturnType<KeyedNetwork["listen"]>,
  note: (hex: string) => void,
): ReturnType<KeyedNetwork["listen"]> {
  async function* accept(): AsyncGenerator<KeyedStream> {
    for await (const stream of listener) {
      const read = async (into: Uint8Array): Promise<number | null> => {
        const count = await stream.read(into);
        note(into.subarray(0, count ?? 0).toHex());
        return count;
      };
      yield { ...stream, read };
    }
  }
  return { port: listener.port, close: () => listener.close(), [Symbol.asyncIterator]: accept };
}

function routeOfJson(json: Record<string, unknown>): BidirectionalRoute {
  const hops = (list: unknown): Hop[] =>
    (list as { TpID: Hop["transportId"]; From: PublicKey; To: PublicKey }[]).map(({ TpID, From, To }) => ({
      transportId: TpID,
      from: From,
      to: To,
    }));
  return {
    descriptor: unwrap(decodeRouteDescriptor(parseHex(json.Desc as string))),
    keepAliveNs: BigInt(json.KeepAlive as number),
    forward: hops(json.Forward),
    reverse: hops(json.Reverse),
  };
}

function edgeOfJson(json: { Desc: string; Forward: string; Reverse: string }): EdgeRules {
  return {
    descriptor: unwrap(decodeRouteDescriptor(parseHex(json.Desc))),
    forward: parseHex(json.Forward),
    consume: parseHex(json.Reverse),
  };
}
