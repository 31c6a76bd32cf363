import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { ClosedError, hasCode, RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import type { MessagingClient, MessagingStream } from "../../lib/messaging/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";
import { assertEchoes, echo, MessagingWorld, readBytes, settled } from "./world.ts";

simulationTest("a client dials another by key and port, and each sees who the other is", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const incoming = bob.listen(80)[Symbol.asyncIterator]();
  const [near, { value: far }] = await sim.run(Promise.all([alice.dial(bob.publicKey, 80), incoming.next()]));
  assert.deepEqual([near.remoteKey, near.remotePort, near.localPort], [bob.publicKey, 80, 49_153]);
  assert.deepEqual([far.remoteKey, far.remotePort, far.localPort], [alice.publicKey, 49_153, 80]);
  await sim.run(Promise.all([near.write(new Uint8Array([1, 2])), far.write(new Uint8Array([3]))]));
  assert.deepEqual(await sim.run(readBytes(far, 2)), new Uint8Array([1, 2]));
  assert.deepEqual(await sim.run(readBytes(near, 1)), new Uint8Array([3]));
  far.close();
  assert.equal(await sim.run(near.read(new Uint8Array(1))), null);
  near.close();
  assert.equal(await near.read(new Uint8Array(1)), null);
  await assert.rejects(near.write(new Uint8Array(1)), ClosedError);
});

simulationTest("what was written before a close arrives whole, and then the end", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const incoming = bob.listen(80)[Symbol.asyncIterator]();
  const [near, { value: far }] = await sim.run(Promise.all([alice.dial(bob.publicKey, 80), incoming.next()]));
  const sent = sim.runtimeFor("alice").random.bytes(1_000_000);
  const writing = near.write(sent).then(() => near.close());
  assert.deepEqual(await sim.run(readBytes(far, sent.length)), sent);
  assert.equal(await sim.run(far.read(new Uint8Array(1))), null);
  await sim.run(writing);
  far.close();
});

simulationTest("a reader that does not read stops the writer, and loses nothing", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const incoming = bob.listen(80)[Symbol.asyncIterator]();
  const [near, { value: far }] = await sim.run(Promise.all([alice.dial(bob.publicKey, 80), incoming.next()]));
  const sent = sim.runtimeFor("alice").random.bytes(3_000_000);
  let isWritten = false;
  const writing = near.write(sent).then(() => isWritten = true);
  await sim.run(20_000);
  assert.equal(isWritten, false);
  assert.deepEqual(await sim.run(readBytes(far, sent.length)), sent);
  await sim.run(writing);
  near.close();
  far.close();
});

simulationTest("a client dials itself through the server", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice] = await world.clients("alice");
  echo(alice.listen(7));
  const stream = await sim.run(alice.dial(alice.publicKey, 7));
  await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 10_000 }));
  stream.close();
});

simulationTest("dialling costs no question to the discovery for a peer dialled lately", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  directory.calls.length = 0;
  (await sim.run(alice.dial(bob.publicKey, 7))).close();
  assert.deepEqual(directory.calls, ["entry"]);
  const began = sim.nowMs;
  (await sim.run(alice.dial(bob.publicKey, 7))).close();
  assert.deepEqual(directory.calls, ["entry"]);
  assert.equal(sim.nowMs - began, 4, "one round trip over the server, 1 ms a leg");
});

simulationTest("a client of a server of ours is ready without a pause", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const began = sim.nowMs;
  await world.clients("alice");
  assert.ok(sim.nowMs - began < 20, `ready after ${sim.nowMs - began} ms`);
});

simulationTest("200 dials at a time all get their own stream", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  const streams = await sim.run(Promise.all(Array.from({ length: 200 }, () => alice.dial(bob.publicKey, 7))));
  assert.equal(new Set(streams.map((stream) => stream.localPort)).size, 200);
  await sim.run(Promise.all(
    streams.map((stream) => assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 1_000 })),
  ));
  for (const stream of streams) stream.close();
});

simulationTest("a dial to a port without listener is refused at once", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const began = sim.nowMs;
  await sim.run(
    assert.rejects(
      alice.dial(bob.publicKey, 9),
      (error) => error instanceof RefusedError && hasCode(error, "messaging/no-listener"),
    ),
  );
  assert.ok(sim.nowMs - began < 20);
});

simulationTest("a dial of a key that the discovery does not know says so", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice] = await world.clients("alice");
  await sim.run(
    assert.rejects(alice.dial(publicKeyOf(secretOf(99)), 80), (error) => hasCode(error, "messaging/unknown-peer")),
  );
});

simulationTest("a dial of a peer that has gone fails at once, and finds it again when it is back", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  bob.listen(7);
  (await sim.run(alice.dial(bob.publicKey, 7))).close();
  sim.kill("bob");
  const began = sim.nowMs;
  await sim.run(
    assert.rejects(alice.dial(bob.publicKey, 7), (error) => hasCode(error, "messaging/peer-unreachable")),
  );
  assert.ok(sim.nowMs - began < 20);
  sim.revive("bob");
  await sim.run(20_000);
  (await sim.run(alice.dial(bob.publicKey, 7))).close();
});

simulationTest(
  "a listener that nobody serves refuses when its queue is full, and takes streams again later",
  async (sim) => {
    await using world = new MessagingWorld(sim);
    await world.server("server");
    const [alice, bob] = await world.clients("alice", "bob");
    const listener = bob.listen(7);
    const dials = Array.from({ length: 25 }, () => alice.dial(bob.publicKey, 7));
    const results = await sim.run(Promise.allSettled(dials), 3_000);
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 20);
    for (const result of results) {
      if (result.status === "rejected") assert.ok(hasCode(result.reason, "messaging/busy"));
    }
    const served = echo(listener);
    const stream = await sim.run(alice.dial(bob.publicKey, 7));
    await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 10 }));
    listener.close();
    await sim.run(served);
    for (const result of results) if (result.status === "fulfilled") result.value.close();
    stream.close();
  },
);

simulationTest("a port has one listener at a time, and is free after its close", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice] = await world.clients("alice");
  const first = alice.listen(80);
  assert.throws(() => alice.listen(80), (error) => hasCode(error, "messaging/port-taken"));
  first.close();
  alice.listen(80).close();
});

simulationTest("a dial ends when its signal aborts", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  bob.listen(7);
  sim.partition("server", "bob");
  const aborting = new AbortController();
  const dial = alice.dial(bob.publicKey, 7, { signal: aborting.signal });
  dial.catch(() => {});
  await sim.run(1_000);
  aborting.abort(new Error("changed my mind"));
  await sim.run(assert.rejects(dial, /changed my mind/), 1);
});

simulationTest("a dial through a server that cannot reach the other side ends after 20 s", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  bob.listen(7);
  sim.partition("server", "bob");
  const began = sim.nowMs;
  await sim.run(
    assert.rejects(alice.dial(bob.publicKey, 7), (error) => error instanceof UnavailableError),
  );
  assert.ok(sim.nowMs - began <= 20_000);
});

simulationTest(
  "a dial that meets silence asks again, and finds the other side within 3 s of its return",
  async (sim) => {
    const directory = new FakeDirectory();
    await using world = new MessagingWorld(sim, directory);
    await world.server("server");
    const [alice, bob] = await world.clients("alice", "bob");
    bob.listen(7);
    (await sim.run(alice.dial(bob.publicKey, 7))).close();
    sim.kill("bob", { silent: true });
    directory.isAway = true; // so that its entry stays
    await sim.run(bob[Symbol.asyncDispose]());
    directory.isAway = false;
    const dial = alice.dial(bob.publicKey, 7).then((stream) => [stream.remoteKey, sim.nowMs] as const);
    await sim.run(4_000);
    sim.revive("bob");
    const again = world.client("bob");
    again.listen(7);
    await sim.run(again.ready);
    const backAt = sim.nowMs;
    const [key, dialledAt] = await sim.run(dial);
    assert.equal(key, bob.publicKey);
    assert.ok(dialledAt - backAt <= 3_000, `${dialledAt - backAt} ms`);
  },
);

simulationTest("clients come back by themselves and publish when their server restarts", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const first = await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  await sim.run(first[Symbol.asyncDispose]());
  await sim.run(5_000);
  assert.deepEqual(alice.sessions, []);
  assert.deepEqual(directory.stored.get(bob.publicKey)?.client?.delegatedServers, []);
  await sim.run(300_000);
  await world.server("server");
  await sim.run(20_000);
  assert.equal(alice.sessions.length, 1);
  const stream = await sim.run(alice.dial(bob.publicKey, 7));
  await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 1_000 }));
  stream.close();
});

simulationTest("clients find their server again while the discovery is away", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  directory.isAway = true;
  await sim.run(server[Symbol.asyncDispose]());
  await world.server("server");
  await sim.run(20_000);
  const stream = await sim.run(alice.dial(bob.publicKey, 7));
  await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 1_000 }));
  stream.close();
});

simulationTest("a client that starts before everything else is ready when the rest is", async (sim) => {
  const directory = new FakeDirectory();
  directory.isAway = true;
  await using world = new MessagingWorld(sim, directory);
  const alice = world.client("alice");
  await sim.run(120_000);
  directory.isAway = false;
  await world.server("server");
  await sim.run(alice.ready, 40_000);
});

simulationTest("with two servers, streams go through the other when one dies", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  await world.server("server2");
  const alice = world.client("alice", { minSessions: 2 });
  const bob = world.client("bob", { minSessions: 2 });
  await sim.run(Promise.all([alice.ready, bob.ready]));
  await sim.run(1_000);
  assert.deepEqual([alice.sessions.length, bob.sessions.length], [2, 2]);
  echo(bob.listen(7));
  (await sim.run(alice.dial(bob.publicKey, 7))).close();
  for (const dead of ["server", "server2"]) {
    sim.kill(dead, { silent: true });
    const stream = await sim.run(alice.dial(bob.publicKey, 7));
    await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 1_000 }));
    stream.close();
    sim.revive(dead);
    await sim.run(120_000);
    if (dead === "server") await world.server("server");
    await sim.run(40_000);
  }
});

simulationTest("a client goes to a server of the other side that it has no session with", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice] = await world.clients("alice");
  sim.kill("server");
  await world.server("server2");
  const [bob] = await world.clients("bob");
  echo(bob.listen(7));
  const stream = await sim.run(alice.dial(bob.publicKey, 7));
  await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 100 }));
  stream.close();
});

simulationTest("a session that goes silent is replaced", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice] = await world.clients("alice");
  const [before] = alice.sessions;
  sim.partition("alice", "server");
  await sim.run(60_000);
  sim.heal("alice", "server");
  await sim.run(20_000);
  assert.equal(alice.sessions.length, 1);
  assert.notEqual(alice.sessions[0]?.since, before?.since);
});

simulationTest("the newer of two clients with one key has the session", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const [alice] = await world.clients("alice");
  const twin = world.client("carol", { secret: secretOf(11) });
  await sim.run(twin.ready);
  assert.equal(server.stats.sessions, 1);
  await sim.run(twin[Symbol.asyncDispose]());
  await sim.run(40_000);
  assert.equal(server.stats.sessions, 1, "the other one is back");
  assert.equal(alice.sessions.length, 1);
});

simulationTest("a closed client ends its streams and listeners, and its entry is gone", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const served = echo(bob.listen(7));
  const stream = await sim.run(alice.dial(bob.publicKey, 7));
  await sim.run(bob[Symbol.asyncDispose](), 1_000);
  await sim.run(served);
  assert.equal(directory.stored.has(bob.publicKey), false);
  assert.equal(await sim.run(settled(stream.read(new Uint8Array(1)))), "ended");
  assert.throws(() => bob.listen(8), (error) => hasCode(error, "messaging/closed"));
  await assert.rejects(bob.dial(alice.publicKey, 7), (error) => hasCode(error, "messaging/closed"));
  stream.close();
});

simulationTest("a client closed before it was ready says so to whoever waits", async (sim) => {
  await using world = new MessagingWorld(sim);
  const alice = world.client("alice");
  await sim.run(alice[Symbol.asyncDispose]());
  await assert.rejects(alice.ready, (error) => hasCode(error, "messaging/closed"));
});

simulationTest("a detached stream goes on with its parts, and its port is free after the close", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  const stream: MessagingStream = await sim.run((alice as MessagingClient).dial(bob.publicKey, 7));
  const { link, records } = stream.detach();
  await assert.rejects(stream.write(new Uint8Array(1)), ClosedError);
  await sim.run(link.write(records.seal(new Uint8Array([1, 2, 3]))));
  const buffer = new Uint8Array(100);
  while (records.available < 3) {
    const count = await sim.run(link.read(buffer));
    records.push(buffer.subarray(0, count ?? 0));
  }
  assert.equal(records.read(buffer), 3);
  assert.deepEqual(buffer.subarray(0, 3), new Uint8Array([1, 2, 3]));
  link.close();
  records[Symbol.dispose]();
});

simulationTest("a session that turns out silent at a dial is replaced soon", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  await sim.run(35_000); // just after a keep-alive, which would find it out 30 s later
  sim.partition("alice", "server");
  await sim.run(
    assert.rejects(alice.dial(bob.publicKey, 7), (error) => error instanceof UnavailableError),
    20_001,
  );
  await sim.run(10_001);
  assert.equal(alice.sessions.length, 0);
  sim.heal("alice", "server");
  await sim.run(20_000);
  (await sim.run(alice.dial(bob.publicKey, 7))).close();
});

simulationTest("a dial with a path is refused: messaging has none, and must not pretend to follow it", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  bob.listen(80);
  await assert.rejects(
    sim.run(alice.dial(bob.publicKey, 80, { path: [bob.publicKey] })),
    (error) => error instanceof RefusedError && hasCode(error, "messaging/no-paths"),
  );
});
