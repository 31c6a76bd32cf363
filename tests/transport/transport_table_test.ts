/** Transports between visors: opened, lost, brought back, fought over, removed. */

import assert from "node:assert/strict";
import { hasCode, RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { type ByteLink, sleep } from "../../lib/runtime/mod.ts";
import { discardSecureLink, readSecure, writeSecure } from "../../lib/links/secure_link.ts";
import { initiateSettlement } from "../../lib/transport/settlement.ts";
import { acceptHandshake, dialHandshake } from "../../lib/transport/stcp_handshake.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import type { Port, PublicKey } from "../../lib/types/mod.ts";
import { NO_FEATURES, OUR_FEATURES, type PeerFeatures } from "../../lib/wire/peer_features.ts";
import {
  encodeSignedEntryLine,
  makeTransportEntry,
  signTransportEntry,
  transportId,
} from "../../lib/wire/transport_entry.ts";
import type { SignedEntry } from "../../lib/wire/transport_entry.ts";
import { createSeededRandom, createSimulation, simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { KEY_A, KEY_B, KEY_C, SECRET_A, SECRET_B } from "./drivers/keys.ts";
import { acceptSettlement } from "./settle.ts";
import { FakeDiscovery, makeVisor, ReportingDiscovery } from "./visors.ts";
import type { TestVisor } from "./visors.ts";

const SECRETS = { a: SECRET_A, b: SECRET_B } as const;
const ADDRESSES: Readonly<Record<PublicKey, string>> = { [KEY_A]: "a:7777", [KEY_B]: "b:7777", [KEY_C]: "c:7777" };

/** Two visors on hosts `a` and `b`, each listening for stcp, with each other in the address book. */
class World<Discovery extends FakeDiscovery = FakeDiscovery> implements AsyncDisposable {
  readonly discovery: Discovery;
  readonly a: TestVisor;
  readonly b: TestVisor;
  readonly #sim: Simulation;
  readonly #others: TestVisor[] = [];

  private constructor(sim: Simulation, discovery: Discovery) {
    this.#sim = sim;
    this.discovery = discovery;
    this.a = this.visor("a");
    this.b = this.visor("b");
  }

  static create(sim: Simulation): Promise<World>;
  static create<Discovery extends FakeDiscovery>(sim: Simulation, discovery: Discovery): Promise<World<Discovery>>;
  static async create(sim: Simulation, discovery = new FakeDiscovery()): Promise<World> {
    const world = new World(sim, discovery);
    await world.a.table.listen("stcp", "a:7777");
    await world.b.table.listen("stcp", "b:7777");
    return world;
  }

  /** One more visor with the key of `a` or `b`, on the host of that name. */
  visor(name: keyof typeof SECRETS): TestVisor {
    const visor = makeVisor({
      runtime: this.#sim.runtimeFor(name),
      secret: SECRETS[name],
      discovery: this.discovery,
      addressOf: (_kind, key) => ADDRESSES[key],
    });
    this.#others.push(visor);
    return visor;
  }

  /** A adds a transport to B. */
  async connect(): Promise<void> {
    await this.#sim.run(this.a.table.add({ remoteKey: KEY_B, kind: "stcp" }));
    await this.#sim.run(100);
  }

  /** Everything ends, within 2 s and without a timer left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const started = this.#sim.nowMs;
    await this.#sim.run(Promise.all(this.#others.map((visor) => visor[Symbol.asyncDispose]())));
    assert.ok(this.#sim.nowMs - started <= 2_000, "closing takes too long");
    // The last goodbyes are on their way.
    await this.#sim.run(1_000);
    assert.equal(this.#sim.pendingTimers, 0);
  }
}

const ID = transportId(KEY_A, KEY_B, "stcp");

simulationTest(
  "add() gives a transport that both sides have, measured and registered with both signatures",
  async (sim) => {
    await using world = await World.create(sim);
    const { a, b, discovery } = world;
    sim.setLatency("a", "b", 20);
    const added = await sim.run(a.table.add({ remoteKey: KEY_B, kind: "stcp", label: "mine" }));
    assert.deepEqual([added.id, added.type, added.remote, added.label, added.up, added.initiator], [
      ID,
      "stcp",
      KEY_B,
      "mine",
      true,
      true,
    ]);
    assert.equal(added.latencyMs, 40);
    await sim.run(10_000);
    const theirs = b.only();
    assert.deepEqual([theirs.id, theirs.remote, theirs.label, theirs.up, theirs.initiator, theirs.latencyMs], [
      ID,
      KEY_A,
      "accepted",
      true,
      false,
      40,
    ]);
    assert.deepEqual([...discovery.listed.keys()], [ID]);
    // Pings and pongs are no traffic.
    for (const { sentBytes, receivedBytes, sentPackets, receivedPackets } of [a.only(), theirs]) {
      assert.deepEqual([sentBytes, receivedBytes, sentPackets, receivedPackets], [0, 0, 0, 0]);
    }
    assert.deepEqual([a.changes, b.changes], [["up"], ["up"]]);
  },
);

simulationTest("add() of a transport that exists gives the same one", async (sim) => {
  await using world = await World.create(sim);
  const first = await sim.run(world.a.table.add({ remoteKey: KEY_B, kind: "stcp" }));
  const [second, third] = await sim.run(Promise.all([
    world.a.table.add({ remoteKey: KEY_B, kind: "stcp" }),
    world.b.table.add({ remoteKey: KEY_A, kind: "stcp" }),
  ]));
  assert.deepEqual([second.id, third.id], [first.id, first.id]);
  await sim.run(10_000);
  assert.deepEqual([world.a.changes, world.b.changes], [["up"], ["up"]]);
});

simulationTest("add() says why it cannot, and leaves nothing behind", async (sim) => {
  await using world = await World.create(sim);
  const { table } = world.a;
  const fails = (options: Parameters<typeof table.add>[0], code: string): Promise<void> =>
    assert.rejects(sim.run(table.add(options)), (error) => hasCode(error, code), code);
  await fails({ remoteKey: KEY_B, kind: "pigeon" }, "transport/unknown-kind");
  await fails({ remoteKey: KEY_A, kind: "stcp" }, "transport/self");
  await fails({ remoteKey: "02" + "ab".repeat(32) as PublicKey, kind: "stcp" }, "transport/no-address");
  await fails({ remoteKey: KEY_C, kind: "stcp" }, "network/dial-failed");
  await fails({ remoteKey: KEY_C, kind: "stcp", address: "b:7777" }, "transport/handshake-refused");
  sim.partition("a", "b");
  await fails({ remoteKey: KEY_B, kind: "stcp" }, "transport/dial-timeout");
  const signal = AbortSignal.abort(new Error("changed my mind"));
  await assert.rejects(sim.run(table.add({ remoteKey: KEY_B, kind: "stcp", signal })), /changed my mind/);
  await sim.run(1_000);
  assert.deepEqual(table.list(), []);
});

simulationTest("add() with keepTrying rejects at the first failure, and comes up when the peer does", async (sim) => {
  await using world = await World.create(sim);
  sim.kill("b");
  const adding = world.a.table.add({ remoteKey: KEY_B, kind: "stcp", keepTrying: true });
  await assert.rejects(sim.run(adding), UnavailableError);
  assert.equal(world.a.only().up, false);
  await sim.run(60_000);
  sim.revive("b");
  await world.b.table.listen("stcp", "b:7777");
  await sim.run(3_100);
  assert.equal(world.a.only().up, true);
});

simulationTest("a lost link is dialled again by the side that added it, within half a second", async (sim) => {
  await using world = await World.create(sim);
  const { a, b, discovery } = world;
  await world.connect();
  await sim.run(5_000);
  const before = a.only();
  sim.cutLinks("a", "b");
  await sim.run(50);
  assert.deepEqual([a.only().up, b.only().up], [false, false]);
  await sim.run(450);
  assert.deepEqual([a.only().up, b.only().up], [true, true]);
  assert.ok(a.only().sentBytes >= before.sentBytes, "the figures go on");
  assert.deepEqual([a.changes, b.changes], [["up", "down", "up"], ["up", "down", "up"]]);
  assert.equal(a.only().initiator, true);
  await sim.run(20_000);
  assert.deepEqual([...discovery.listed.keys()], [ID], "a short break is not worth a deregistration");
});

simulationTest(
  "a peer that falls silent is noticed; both sides deregister; healing brings everything back",
  async (sim) => {
    await using world = await World.create(sim);
    const { a, b, discovery } = world;
    await world.connect();
    await sim.run(10_000);
    sim.partition("a", "b");
    await sim.run(16_000);
    assert.deepEqual([a.only().up, b.only().up], [false, false]);
    await sim.run(6_000);
    assert.deepEqual([...discovery.listed.keys()], []);
    await sim.run(600_000);
    assert.deepEqual(b.table.list(), [], "the side that was dialled forgets");
    sim.heal("a", "b");
    await sim.run(15_000);
    assert.deepEqual([a.only().up, b.only().up], [true, true]);
    assert.deepEqual([...discovery.listed.keys()], [ID]);
  },
);

simulationTest("redialling pauses 3 s at most, however long the peer is away", async (sim) => {
  await using world = await World.create(sim);
  await world.connect();
  sim.kill("b");
  await sim.run(3_600_000);
  sim.revive("b");
  await using again = world.visor("b");
  await again.table.listen("stcp", "b:7777");
  await sim.run(3_100);
  assert.deepEqual([world.a.only().up, again.only().up], [true, true]);
  await sim.run(again[Symbol.asyncDispose]());
});

simulationTest("a peer that restarted is let in, even while its old link looks alive here", async (sim) => {
  await using world = await World.create(sim);
  await world.connect();
  await sim.run(40_000);
  // The plug of A is pulled: B hears nothing. A is back at once, with the same key.
  sim.kill("a", { silent: true });
  await sim.run(world.a[Symbol.asyncDispose]());
  assert.equal(world.b.only().up, true);
  for (const from of ["a", "b"]) for (const to of ["a", "b"]) if (from < to) sim.heal(from, to);
  sim.revive("a");
  const restarted = world.visor("a");
  await sim.run(restarted.table.add({ remoteKey: KEY_B, kind: "stcp" }));
  await sim.run(1_000);
  assert.deepEqual([restarted.only().up, world.b.only().up], [true, true]);
});

simulationTest("remove() ends it for good on both sides", async (sim) => {
  await using world = await World.create(sim);
  const { a, b, discovery } = world;
  await world.connect();
  await sim.run(a.table.remove(ID));
  assert.deepEqual(a.table.list(), []);
  await sim.run(100);
  assert.deepEqual([...discovery.listed.keys()], []);
  assert.equal(b.only().up, false);
  await sim.run(31_000);
  assert.deepEqual(b.table.list(), []);
  assert.deepEqual([a.changes, b.changes], [["up", "down", "removed"], ["up", "down", "removed"]]);
  await assert.rejects(
    sim.run(a.table.remove(ID)),
    (e) => e instanceof RefusedError && hasCode(e, "transport/not-found"),
  );
});

simulationTest("what the other side removes is dialled again by who added it", async (sim) => {
  await using world = await World.create(sim);
  await world.connect();
  await sim.run(world.b.table.remove(ID));
  await sim.run(1_000);
  assert.deepEqual([world.a.only().up, world.b.only().up], [true, true]);
  await sim.run(60_000);
  assert.deepEqual([...world.discovery.listed.keys()], [ID]);
});

Deno.test("when both sides dial at once, one transport remains, whatever the timing", async () => {
  const random = createSeededRandom("races");
  for (let seed = 1; seed <= 40; seed++) {
    const sim = createSimulation({ seed });
    const [there, delay] = random.bytes(2) as unknown as [number, number];
    sim.setLatency("a", "b", 1 + there % 100);
    await using world = await World.create(sim);
    const { a, b, discovery } = world;
    const adding = [a.table.add({ remoteKey: KEY_B, kind: "stcp", keepTrying: true })];
    await sim.run(delay % 16 === 0 ? 0 : delay * 3);
    adding.push(b.table.add({ remoteKey: KEY_A, kind: "stcp", keepTrying: true }));
    await sim.run(Promise.allSettled(adding));
    await sim.run(30_000);
    const [ours, theirs] = [a.only(), b.only()];
    const story = `seed ${seed}, latency ${1 + there % 100}, delay ${delay * 3}: ${a.changes} | ${b.changes}`;
    assert.deepEqual([ours.up, theirs.up], [true, true], story);
    assert.notEqual(ours.initiator, theirs.initiator, story);
    assert.deepEqual([...discovery.listed.keys()], [ID], story);
    const changes = [a.changes.length, b.changes.length];
    await sim.run(60_000);
    assert.deepEqual([a.changes.length, b.changes.length], changes, `not stable: ${story}`);
  }
});

simulationTest("strangers, garbage and silent peers on the listener keep nobody out", async (sim) => {
  await using world = await World.create(sim);
  const { network, random } = sim.runtimeFor("mallory");
  const strangers = await sim.run(Promise.all(Array.from({ length: 60 }, () => network.dial("b:7777"))));
  await sim.run(Promise.all(
    strangers.slice(0, 40).map(async (link, i) => {
      await link.write(i % 2 === 0 ? new TextEncoder().encode("get_nonce") : random.bytes(1 + i * 50));
      if (i % 4 === 0) link.close();
    }),
  ));
  await world.connect();
  assert.equal(world.b.only().up, true);
  await sim.run(60_000);
  for (const link of strangers) {
    const ended = async (): Promise<boolean> => {
      while (await link.read(new Uint8Array(512)) !== null);
      return true;
    };
    assert.equal(await sim.run(ended().catch(() => true), 1_000), true, "a stranger is shut out in the end");
    link.close();
  }
});

simulationTest("without discovery transports work; it is told when it is back", async (sim) => {
  await using world = await World.create(sim);
  world.discovery.down = true;
  await world.connect();
  assert.deepEqual([world.a.only().up, world.b.only().up], [true, true]);
  await sim.run(200_000);
  world.discovery.down = false;
  await sim.run(70_000);
  assert.deepEqual([...world.discovery.listed.keys()], [ID]);
});

simulationTest("an entry that discovery lost is registered again", async (sim) => {
  await using world = await World.create(sim);
  await world.connect();
  world.discovery.listed.clear();
  await sim.run(61_000);
  assert.deepEqual([...world.discovery.listed.keys()], [ID]);
});

simulationTest("where discovery takes reports, it is told within 10 s of a latency that has changed", async (sim) => {
  await using world = await World.create(sim, new ReportingDiscovery());
  sim.setLatency("a", "b", 20);
  await world.connect();
  await sim.run(10_000);
  assert.equal(world.discovery.reported.get(ID)?.latencyMs, 40);
  sim.setLatency("a", "b", 3);
  await sim.run(10_000);
  assert.equal(world.a.only().latencyMs, 6);
  assert.equal(world.discovery.reported.get(ID)?.latencyMs, 6);
});

simulationTest(
  "where discovery takes reports, a lost transport stays listed as not working until it is back",
  async (sim) => {
    await using world = await World.create(sim, new ReportingDiscovery());
    const { a, b, discovery } = world;
    await world.connect();
    await sim.run(10_000);
    const seen = (): boolean | undefined => discovery.reported.get(ID)?.isWorking;
    assert.equal(seen(), true);
    assert.ok(discovery.reported.get(ID)?.latencyMs !== undefined);
    sim.partition("a", "b");
    await sim.run(13_000);
    assert.equal(seen(), false, "a silent peer is noticed and told within 13 s");
    await sim.run(600_000);
    assert.deepEqual(b.table.list(), [], "the side that was dialled forgets");
    assert.deepEqual([...discovery.listed.keys()], [ID]);
    const { isWorking, lastsMs, resetsPerHour } = discovery.reported.get(ID)!;
    assert.ok(!isWorking && lastsMs > 500_000 && resetsPerHour === 1);
    sim.heal("a", "b");
    await sim.run(15_000);
    assert.deepEqual([a.only().up, b.only().up, seen()], [true, true, true]);
    assert.deepEqual([...discovery.listed.keys()], [ID]);
  },
);

simulationTest(
  "where discovery takes reports, an entry that it lost is registered again within a minute",
  async (sim) => {
    await using world = await World.create(sim, new ReportingDiscovery());
    await world.connect();
    await sim.run(1_000);
    world.discovery.listed.clear();
    await sim.run(61_000);
    assert.deepEqual([...world.discovery.listed.keys()], [ID]);
  },
);

simulationTest(
  "where discovery takes reports, what was removed or closed is off its list, and stays so",
  async (sim) => {
    await using world = await World.create(sim, new ReportingDiscovery());
    await world.connect();
    await sim.run(1_000);
    await sim.run(world.a.table.remove(ID));
    await sim.run(600_000);
    assert.deepEqual([...world.discovery.listed.keys()], []);
    await world.connect();
    await sim.run(1_000);
    assert.deepEqual([...world.discovery.listed.keys()], [ID]);
    await sim.run(world.a[Symbol.asyncDispose]());
    await sim.run(600_000);
    assert.deepEqual([...world.discovery.listed.keys()], []);
  },
);

simulationTest("a visor that restarts tells at once that a transport of before is not up yet", async (sim) => {
  await using world = await World.create(sim, new ReportingDiscovery());
  const { discovery } = world;
  await world.connect();
  await sim.run(1_000);
  sim.kill("a");
  sim.kill("b");
  await sim.run(1_000);
  const before = discovery.reported.get(ID)!;
  sim.revive("a");
  const again = world.visor("a");
  again.table.add({ remoteKey: KEY_B, kind: "stcp", keepTrying: true }).catch(() => {});
  await sim.run(500);
  assert.notEqual(discovery.reported.get(ID), before);
  assert.equal(discovery.reported.get(ID)?.isWorking, false);
});

simulationTest("a closed listener accepts no more, and transports live on", async (sim) => {
  await using world = await World.create(sim);
  const listener = await world.b.table.listen("stcp", "b:8888");
  assert.equal(listener.address, "b:8888");
  await sim.run(world.a.table.add({ remoteKey: KEY_B, kind: "stcp", address: "b:8888" }));
  await sim.run(listener.close());
  await sim.run(20_000);
  assert.equal(world.a.only().up, true);
});

Deno.test("tables connect over real sockets, lose the link with the peer's end, and close without leaks", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const discovery = new FakeDiscovery();
  await using a = makeVisor({ runtime, secret: SECRET_A, discovery });
  const b = makeVisor({ runtime, secret: SECRET_B, discovery });
  const { address } = await b.table.listen("stcp", "127.0.0.1:0");
  const { promise: lost, resolve } = Promise.withResolvers<void>();
  a.table.onChange(({ type }) => type === "down" && resolve());
  const added = await a.table.add({ remoteKey: KEY_B, kind: "stcp", address });
  assert.ok(added.up && added.latencyMs !== undefined && added.latencyMs < 5_000);
  await b[Symbol.asyncDispose]();
  await lost;
  assert.equal(a.only().up, false);
});

simulationTest("a v1.3 visor whose link ended is not dialled before it has forgotten the transport", async (sim) => {
  const peer = { publicKey: KEY_A, secret: SECRET_A };
  const { network, clock, timers, random } = sim.runtimeFor("a");
  const runtime = sim.runtimeFor("b");
  await using visor = makeVisor({ runtime, secret: SECRET_B, discovery: new FakeDiscovery(), addressOf: () => "a:1" });
  await visor.table.listen("stcp", "b:7777");
  const listener = await network.listen("a:1");
  const incoming = listener[Symbol.asyncIterator]();
  /** The peer's own link ends, and we dial it. @returns how long it takes until that arrives, ms */
  const dialBack = async (features: PeerFeatures): Promise<number> => {
    const remote = { publicKey: visor.key, port: 45 as Port };
    const secure = await sim.run(
      network.dial("b:7777").then((link) =>
        dialHandshake(link, { runtime: { timers, random }, local: peer, sourcePort: 49_153 as Port, remote })
      ),
    );
    await sim.run(initiateSettlement(secure, { clock, timers, local: peer, kind: "stcp", features }));
    await sim.run(50);
    discardSecureLink(secure);
    await sim.run(50);
    assert.equal(visor.only().up, false);
    const began = sim.nowMs;
    const adding = visor.table.add({ remoteKey: peer.publicKey, kind: "stcp" }).catch(() => {});
    const { value: link } = await sim.run(incoming.next());
    const took = sim.nowMs - began;
    link.close();
    await sim.run(visor.table.remove(ID));
    await sim.run(adding);
    return took;
  };
  const [ours, other] = [await dialBack(OUR_FEATURES), await dialBack(NO_FEATURES)];
  assert.ok(ours < 500, `one of ours: ${ours} ms`);
  assert.ok(other >= 1_000 && other < 2_000, `one of v1.3: ${other} ms`);
  listener.close();
});

simulationTest(
  "a dial that a v1.3 visor has taken as opened is settled and wins, whatever else that visor dials meanwhile",
  async (sim) => {
    const [smaller, larger] = KEY_A < KEY_B ? [SECRET_A, SECRET_B] : [SECRET_B, SECRET_A];
    const peer = { publicKey: publicKeyOf(smaller), secret: smaller };
    const { network, clock, timers, random } = sim.runtimeFor("a");
    const runtime = sim.runtimeFor("b");
    const discovery = new FakeDiscovery();
    await using visor = makeVisor({ runtime, secret: larger, discovery, addressOf: () => "a:1" });
    await visor.table.listen("stcp", "b:7777");
    sim.setLatency("a", "b", 50);
    const settlement = { clock, timers, local: peer, kind: "stcp" };
    const remote = { publicKey: visor.key, port: 45 as Port };
    const own = await sim.run(
      network.dial("b:7777").then((link) =>
        dialHandshake(link, { runtime: { timers, random }, local: peer, sourcePort: 49_153 as Port, remote })
      ),
    );
    const listener = await network.listen("a:1");
    const adding = visor.table.add({ remoteKey: peer.publicKey, kind: "stcp" });
    const { value: link } = await sim.run(listener[Symbol.asyncIterator]().next());
    let settlingOwn: Promise<unknown> | undefined;
    const late: ByteLink = {
      ...link,
      read: (into) => link.read(into),
      /** The answer of Noise, after which a v1.3 visor waits for settlement, follows what comes on its own link. */
      async write(bytes: Uint8Array): Promise<void> {
        if (bytes.length !== 51) return await link.write(bytes);
        settlingOwn = initiateSettlement(own, settlement);
        settlingOwn.catch(() => {});
        await sleep(timers, 5);
        await link.write(bytes);
      },
      close: () => link.close(),
    };
    const opened = await sim.run(
      acceptHandshake(late, { runtime: { timers, random }, local: peer, isListening: () => true }),
    );
    await sim.run(acceptSettlement(opened, settlement));
    await assert.rejects(sim.run(settlingOwn!), (error) => hasCode(error, "transport/settlement-refused"));
    assert.ok((await sim.run(adding)).initiator);
    await sim.run(200);
    assert.ok(discovery.listed.has(ID), "the peer takes it off the list when its dial fails; we list it again");

    /** One more link of the peer. */
    const dialAgain = async (features: PeerFeatures): Promise<void> => {
      const again = await network.dial("b:7777").then((link) =>
        dialHandshake(link, { runtime: { timers, random }, local: peer, sourcePort: 49_154 as Port, remote })
      );
      await initiateSettlement(again, { ...settlement, features }).finally(() => discardSecureLink(again));
    };
    await assert.rejects(sim.run(dialAgain(NO_FEATURES)), (error) => hasCode(error, "transport/settlement-refused"));
    await sim.run(dialAgain(OUR_FEATURES));
    for (const secure of [own, opened]) discardSecureLink(secure);
    listener.close();
  },
);

/** A pong that nobody has asked for, with the value of the first ping. */
const PONG = Uint8Array.of(9, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0);

simulationTest("a pong that comes together with the request to settle does no harm", async (sim) => {
  const peer = { publicKey: KEY_A, secret: SECRET_A };
  const { network, timers, random } = sim.runtimeFor("a");
  await using visor = makeVisor({
    runtime: sim.runtimeFor("b"),
    secret: SECRET_B,
    discovery: new FakeDiscovery(),
    addressOf: () => undefined,
  });
  await visor.table.listen("stcp", "b:7777");
  for (const features of [OUR_FEATURES, NO_FEATURES]) {
    const remote = { publicKey: visor.key, port: 45 as Port };
    const secure = await sim.run(
      network.dial("b:7777").then((link) =>
        dialHandshake(link, { runtime: { timers, random }, local: peer, sourcePort: 49_153 as Port, remote })
      ),
    );
    const entry = makeTransportEntry(KEY_A, KEY_B, { kind: "stcp", label: "user" });
    const request = encodeSignedEntryLine(signTransportEntry(entry, peer), features);
    await sim.run(writeSecure(secure, concatBytes(request, PONG)));
    await sim.run(500);
    assert.equal(visor.only().up, true);
    discardSecureLink(secure);
    await sim.run(500);
    assert.equal(visor.only().up, false);
  }
  assert.deepEqual(sim.logLines.filter((line) => / (WARN|ERROR) /i.test(line)), []);
});

simulationTest("a pong that comes together with the answer to a request to settle does no harm", async (sim) => {
  const peer = { publicKey: KEY_A, secret: SECRET_A };
  const { network, timers, random } = sim.runtimeFor("a");
  await using visor = makeVisor({
    runtime: sim.runtimeFor("b"),
    secret: SECRET_B,
    discovery: new FakeDiscovery(),
    addressOf: () => "a:1",
  });
  const listener = await network.listen("a:1");
  const adding = visor.table.add({ remoteKey: KEY_A, kind: "stcp" });
  const { value: link } = await sim.run(listener[Symbol.asyncIterator]().next());
  const secure = await sim.run(
    acceptHandshake(link, { runtime: { timers, random }, local: peer, isListening: () => true }),
  );
  await sim.run(readSecure(secure));
  await sim.run(writeSecure(secure, concatBytes(Uint8Array.of(0x01, 0xa5), PONG)));
  assert.ok((await sim.run(adding)).up);
  await sim.run(500);
  assert.equal(visor.only().up, true);
  assert.deepEqual(sim.logLines.filter((line) => / (WARN|ERROR) /i.test(line)), []);
  discardSecureLink(secure);
  listener.close();
});

/** A discovery that takes its time to answer; with none, it never does. */
class SlowDiscovery extends FakeDiscovery {
  constructor(readonly answerAfter: () => Promise<unknown>) {
    super();
  }

  override async register(signed: SignedEntry[]): Promise<void> {
    await this.answerAfter();
    await super.register(signed);
  }
}

simulationTest("discovery lists a transport when its initiator has it", async (sim) => {
  const { timers } = sim.runtimeFor("d");
  const discovery = new SlowDiscovery(() => sleep(timers, 600));
  await using world = await World.create(sim, discovery);
  await sim.run(world.a.table.add({ remoteKey: KEY_B, kind: "stcp" }));
  assert.ok(discovery.listed.has(ID));
});

simulationTest("a discovery that does not answer holds a transport up for 1 s", async (sim) => {
  const discovery = new SlowDiscovery(() => new Promise(() => {}));
  await using world = await World.create(sim, discovery);
  const began = sim.nowMs;
  await sim.run(world.a.table.add({ remoteKey: KEY_B, kind: "stcp" }));
  assert.ok(sim.nowMs - began >= 1_000 && sim.nowMs - began < 1_200, `${sim.nowMs - began} ms`);
});

simulationTest("a transport whose initiator leaves before the answer is not listed for long", async (sim) => {
  const peer = { publicKey: KEY_A, secret: SECRET_A };
  const { network, timers, random } = sim.runtimeFor("a");
  const discovery = new SlowDiscovery(() => sleep(timers, 600));
  await using visor = makeVisor({
    runtime: sim.runtimeFor("b"),
    secret: SECRET_B,
    discovery,
    addressOf: () => undefined,
  });
  await visor.table.listen("stcp", "b:7777");
  const remote = { publicKey: visor.key, port: 45 as Port };
  const secure = await sim.run(
    network.dial("b:7777").then((link) =>
      dialHandshake(link, { runtime: { timers, random }, local: peer, sourcePort: 49_153 as Port, remote })
    ),
  );
  const entry = makeTransportEntry(KEY_A, KEY_B, { kind: "stcp", label: "user" });
  await sim.run(writeSecure(secure, encodeSignedEntryLine(signTransportEntry(entry, peer))));
  discardSecureLink(secure);
  await sim.run(10_000);
  assert.equal(visor.table.list().some(({ up }) => up), false);
  assert.deepEqual([...discovery.listed.keys()], []);
});

simulationTest("a visor with 10,000 transports takes no more", async (sim) => {
  const peer = { publicKey: KEY_A, secret: SECRET_A };
  const { network, clock, timers, random } = sim.runtimeFor("a");
  await using visor = makeVisor({
    runtime: sim.runtimeFor("b"),
    secret: SECRET_B,
    discovery: new FakeDiscovery(),
    addressOf: () => undefined,
  });
  await visor.table.listen("stcp", "b:7777");
  const settle = async (): Promise<void> => {
    const remote = { publicKey: visor.key, port: 45 as Port };
    const secure = await network.dial("b:7777").then((link) =>
      dialHandshake(link, { runtime: { timers, random }, local: peer, sourcePort: 49_153 as Port, remote })
    );
    await initiateSettlement(secure, { clock, timers, local: peer, kind: "stcp" }).finally(() =>
      discardSecureLink(secure)
    );
  };
  /** Nobody knows where these visors are: their transports stay in the list without a link. */
  const fill = async (count: number): Promise<void> => {
    for (let n = visor.table.list().length; n < count; n++) {
      const remoteKey = `02${n.toString(16).padStart(64, "0")}` as PublicKey;
      await visor.table.add({ remoteKey, kind: "stcp", keepTrying: true }).catch(() => {});
    }
  };
  await sim.run(fill(10_000));
  assert.equal(visor.table.list().length, 10_000);
  await assert.rejects(sim.run(settle()), (error) => hasCode(error, "transport/settlement-refused"));
  await sim.run(visor.table.remove(transportId(KEY_B, `02${"0".repeat(64)}` as PublicKey, "stcp")));
  await sim.run(settle());
});
