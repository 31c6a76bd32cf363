import assert from "node:assert/strict";
import { NoiseHandshake, publicKeyOf, sha256 } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import type { MessagingServer } from "../../lib/messaging/mod.ts";
import { Session } from "../../lib/messaging/session.ts";
import { awaitServer, initiateSession } from "../../lib/messaging/session_handshake.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { createMuxSession } from "../../lib/links/mux_session.ts";
import { at } from "../../lib/types/at.ts";
import type { OverlayAddress, SecretKey } from "../../lib/types/mod.ts";
import {
  decodeResponse,
  encodeSignedRequest,
  encodeSignedResponse,
  objectHash,
} from "../../lib/wire/stream_objects.ts";
import type { StreamResponse } from "../../lib/wire/stream_objects.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";
import { assertEchoes, echo, MessagingWorld, readBytes, settled } from "./world.ts";

const aliceSecret = secretOf(11);
const bobSecret = secretOf(12);
const [aliceKey, bobKey, absentKey] = [publicKeyOf(aliceSecret), publicKeyOf(bobSecret), publicKeyOf(secretOf(14))];

/** A session of our own making, to say things that a client would not say. */
async function rawSession(
  sim: Simulation,
  { server, secret, host }: { server: MessagingServer; secret: SecretKey; host: string },
): Promise<Session> {
  const runtime = sim.runtimeFor(host);
  const link = await sim.run(runtime.network.dial(server.address));
  const { records } = await sim.run(initiateSession(link, { runtime, secret, remoteKey: server.publicKey }));
  return new Session({
    mux: createMuxSession(link, { role: "client", runtime, keepAlive: false }),
    records,
    remoteKey: server.publicKey,
    remoteAddress: server.address,
    since: runtime.clock.monotonic(),
  });
}

function request(
  { source, destination, secret, timestamp = 1n, ipInfo = false, noise = true }: {
    source: OverlayAddress;
    destination: OverlayAddress;
    secret: SecretKey;
    timestamp?: bigint;
    ipInfo?: boolean;
    noise?: boolean;
  },
): Uint8Array {
  using handshake = new NoiseHandshake({
    pattern: "KK",
    role: "initiator",
    localSecret: secret,
    remoteKey: destination.publicKey,
    ephemeral: new Uint8Array(32).fill(77),
  });
  const noiseMessage = noise ? handshake.writeMessage() : new Uint8Array();
  return encodeSignedRequest({ timestamp, source, destination, ipInfo, noiseMessage }, secret);
}

simulationTest(
  "a server takes the newest session of a key, and loses nothing when the older one ends (dmsg.md Q8)",
  async (sim) => {
    await using world = new MessagingWorld(sim);
    const server = await world.server("server");
    const older = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
    await sim.run(older.ping());
    const newer = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
    await sim.run(older.closed, 1_000);
    await sim.run(100);
    assert.equal(server.stats.sessions, 1);
    await sim.run(newer.ping());
    newer[Symbol.dispose]();
    await sim.run(100);
    assert.equal(server.stats.sessions, 0);
  },
);

simulationTest("a server resets at once every stream whose request it does not pass on", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  // Bob is there, so that each request fails for its own reason, and hears of none of them.
  using bob = await rawSession(sim, { server, secret: bobSecret, host: "bob" });
  let passedOn = 0;
  const listening = (async () => {
    for await (const stream of bob.incoming) {
      passedOn++;
      stream.reset();
    }
  })();
  const source = { publicKey: aliceKey, port: 50_000 };
  const destination = { publicKey: bobKey, port: 80 };
  const absent = { publicKey: absentKey, port: 80 };
  const good = request({ source, destination, secret: aliceSecret });
  const flipped = good.slice();
  flipped[10] = (flipped[10] as number) ^ 1;
  const cases: [string, Uint8Array][] = [
    ["no session of the destination", request({ source, destination: absent, secret: aliceSecret })],
    ["wrong signature", flipped],
    ["somebody else's key", request({ source: { publicKey: bobKey, port: 1 }, destination, secret: bobSecret })],
    ["no source port", request({ source: { ...source, port: 0 }, destination, secret: aliceSecret })],
    ["no destination port", request({ source, destination: { ...destination, port: 0 }, secret: aliceSecret })],
    ["no time", request({ source, destination, secret: aliceSecret, timestamp: 0n })],
    ["too short", good.subarray(0, 65)],
    ["no gob", new Uint8Array(300)],
    ["empty", new Uint8Array()],
  ];
  for (const [name, object] of cases) {
    const stream = await sim.run(session.open());
    await sim.run(session.writeObject(stream, object));
    assert.equal(await sim.run(settled(stream.read(new Uint8Array(1))), 100), "ended", name);
    stream.close();
  }
  await sim.run(session.ping());
  assert.equal(server.stats.streams, 0);
  assert.equal(passedOn, 0);
  const stream = await sim.run(session.open());
  await sim.run(session.writeObject(stream, good));
  assert.equal(await sim.run(settled(stream.read(new Uint8Array(1))), 1_000), "ended");
  assert.equal(passedOn, 1, "what is good is passed on");
  stream.close();
  bob[Symbol.dispose]();
  await sim.run(listening);
});

simulationTest("a server gives up on a stream that asks for nothing, after 20 s", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  const stream = await sim.run(session.open());
  await sim.run(stream.write(new Uint8Array([1])));
  await sim.run(100);
  assert.equal(server.stats.streams, 1);
  assert.equal(await sim.run(settled(stream.read(new Uint8Array(1))), 20_001), "ended");
  await sim.run(100);
  assert.equal(server.stats.streams, 0);
});

simulationTest("a server answers the ping marker of later versions", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  const stream = await sim.run(session.open());
  await sim.run(stream.write(new Uint8Array(2)));
  assert.deepEqual(await sim.run(readBytes(stream, 2)), new Uint8Array(2));
  assert.equal(await sim.run(stream.read(new Uint8Array(1))), null);
  stream.close();
});

simulationTest("a server limits the streams of one client, and takes new ones when old ones end", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server", { limits: { streamsPerClient: 3 } });
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  const streams: ByteLink[] = [];
  for (let count = 0; count < 4; count++) streams.push(await sim.run(session.open()));
  await sim.run(100);
  assert.equal(server.stats.streams, 3);
  assert.equal(await sim.run(settled((streams[3] as ByteLink).read(new Uint8Array(1))), 100), "ended");
  for (const stream of streams) stream.close();
  await sim.run(100);
  assert.equal(server.stats.streams, 0);
  (await sim.run(session.open())).close();
});

simulationTest("a server limits handshakes of one host and in all, and lets others in", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server", { limits: { handshakes: 5, handshakesPerHost: 3 } });
  const dialFrom = (host: string): Promise<ByteLink> => sim.run(sim.runtimeFor(host).network.dial(server.address));
  const links: ByteLink[] = [];
  for (let count = 0; count < 5; count++) links.push(await dialFrom("mallory"));
  await sim.run(10);
  assert.equal(server.stats.handshakes, 3);
  await world.clients("alice");
  for (let count = 0; count < 5; count++) links.push(await dialFrom("trudy"));
  await sim.run(10);
  assert.equal(server.stats.handshakes, 5);
  await sim.run(5_000);
  assert.equal(server.stats.handshakes, 0, "silent ones are gone after 5 s");
  await world.clients("bob");
  for (const link of links) link.close();
});

simulationTest("a full server refuses new clients, not those that it knows", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server", { limits: { sessions: 1 } });
  await world.clients("alice");
  using twin = await rawSession(sim, { server, secret: aliceSecret, host: "carol" });
  await sim.run(twin.ping());
  const stranger = await rawSession(sim, { server, secret: bobSecret, host: "bob" });
  await sim.run(stranger.closed, 1_000);
  assert.equal(server.stats.sessions, 1);
});

simulationTest("a full server says so, and a client goes to another one", async (sim) => {
  await using world = new MessagingWorld(sim);
  const full = await world.server("server", { limits: { sessions: 1 } });
  using alice = await rawSession(sim, { server: full, secret: aliceSecret, host: "alice" });
  await sim.run(alice.ping());

  const runtime = sim.runtimeFor("bob");
  const link = await sim.run(runtime.network.dial(full.address));
  const { records } = await sim.run(initiateSession(link, { runtime, secret: bobSecret, remoteKey: full.publicKey }));
  const told = assert.rejects(
    awaitServer(link, { timers: runtime.timers, gapMs: 1_000 }),
    (error) => hasCode(error, "messaging/server-full"),
  );
  await sim.run(told, 1_000);
  records[Symbol.dispose]();
  link.close();

  const bob = world.client("bob");
  await sim.run(20_000);
  assert.deepEqual(bob.sessions, []);
  const other = await world.server("server2");
  await sim.run(bob.ready, 5_000);
  assert.deepEqual(bob.sessions.map(({ server }) => server), [other.publicKey]);
});

simulationTest(
  "what clients leave unread in a server is bounded, and the longest unread stream goes first",
  async (sim) => {
    await using world = new MessagingWorld(sim);
    const server = await world.server("server", { limits: { heldStreams: 4 } });
    const [alice, bob, carol] = await world.clients("alice", "bob", "carol");
    echo(carol.listen(7));
    const unread: ByteLink[] = [];
    (async () => {
      for await (const stream of bob.listen(9)) unread.push(stream);
    })();
    const writes: Promise<"written" | "broken">[] = [];
    for (let i = 0; i < 6; i++) {
      const stream = await sim.run(alice.dial(bob.publicKey, 9));
      writes.push(stream.write(new Uint8Array(2 * 1024 * 1024)).then(() => "written", () => "broken"));
      await sim.run(1_000);
    }
    const first = await sim.run(Promise.race([at(writes, 0), at(writes, 5)]), 1_000);
    assert.equal(first, "broken");
    const honest = await sim.run(alice.dial(carol.publicKey, 7));
    await sim.run(assertEchoes(honest, { runtime: sim.runtimeFor("alice"), length: 100_000 }));
    for (const stream of [honest, ...unread]) stream.close();
    assert.ok(server.stats.streams > 0);
  },
);

simulationTest("a server publishes within every minute how many sessions it still takes", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server", { limits: { sessions: 10 }, publicAddress: "example.org:8081" });
  await sim.run(server.ready);
  const entry = () => directory.stored.get(server.publicKey);
  assert.deepEqual(entry()?.server, { address: "example.org:8081", availableSessions: 10 });
  directory.stored.clear();
  await sim.run(60_010);
  assert.ok(entry() !== undefined);
});

simulationTest("a server on a free port publishes that port under its public host", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server", { listen: "0.0.0.0:0", publicAddress: "example.org:0" });
  await sim.run(server.ready);
  const port = server.address.split(":").at(-1);
  assert.equal(directory.stored.get(server.publicKey)?.server?.address, `example.org:${port}`);
});

simulationTest("a server counts its sessions in its entry", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server", { limits: { sessions: 10 } });
  await world.clients("alice", "bob");
  await sim.run(10_000);
  assert.equal(directory.stored.get(server.publicKey)?.server?.availableSessions, 8);
});

simulationTest("a server serves while the discovery is away, and publishes when it is back", async (sim) => {
  const directory = new FakeDirectory();
  directory.isAway = true;
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server");
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  await sim.run(session.ping());
  await sim.run(60_000);
  directory.isAway = false;
  await sim.run(server.ready, 20_000);
});

simulationTest("a server that closes ends sessions and removes its entry within 2 s", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  const stream = await sim.run(alice.dial(bob.publicKey, 7));
  directory.remove = () => new Promise(() => {});
  await sim.run(server[Symbol.asyncDispose](), 2_000);
  await sim.run(server.closed);
  assert.deepEqual(server.stats, { sessions: 0, handshakes: 0, streams: 0 });
  await sim.run(
    assert.rejects(
      sim.runtimeFor("alice").network.dial(server.address),
      (error) => hasCode(error, "network/dial-failed"),
    ),
  );
  assert.equal(await sim.run(settled(stream.read(new Uint8Array(1)))), "ended");
  stream.close();
});

simulationTest("a server tells a client its address", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "192.0.2.7" });
  const object = request({
    source: { publicKey: aliceKey, port: 50_000 },
    destination: { publicKey: server.publicKey, port: 1 },
    secret: aliceSecret,
    ipInfo: true,
    noise: false,
  });
  const stream = await sim.run(session.open());
  await sim.run(session.writeObject(stream, object));
  const response = decodeResponse(await sim.run(session.expectObject(stream))) as StreamResponse;
  assert.deepEqual([response.accepted, response.ip], [true, new Uint8Array([192, 0, 2, 7])]);
  assert.deepEqual(response.requestHash, sha256(object));
  assert.equal(await sim.run(stream.read(new Uint8Array(1))), null, "and closes the stream (dmsg.md Q29)");
  stream.close();
});

simulationTest("a session object sent twice is refused, and so is a request recorded by the server", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const [bob] = await world.clients("bob");
  echo(bob.listen(80));
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  const object = request({
    source: { publicKey: aliceKey, port: 50_000 },
    destination: { publicKey: bobKey, port: 80 },
    secret: aliceSecret,
    timestamp: sim.runtimeFor("alice").clock.wallNanos(),
  });
  const record: Uint8Array[] = [];
  const first = await sim.run(session.open());
  const recording: ByteLink = {
    ...first,
    write(bytes): Promise<void> {
      record.push(bytes.slice());
      return first.write(bytes);
    },
  };
  await sim.run(session.writeObject(recording, object));
  const answer = decodeResponse(await sim.run(session.expectObject(first))) as StreamResponse;
  assert.equal(answer.accepted, true);

  const second = await sim.run(session.open());
  await sim.run(second.write(record[0] as Uint8Array));
  assert.equal(await sim.run(settled(second.read(new Uint8Array(1))), 100), "ended", "same sealed bytes");

  const third = await sim.run(session.open());
  await sim.run(session.writeObject(third, object));
  assert.equal(await sim.run(settled(third.read(new Uint8Array(1))), 100), "ended", "same object, sealed again");
  for (const stream of [first, second, third]) stream.close();
});

simulationTest("garbage on the server's port leaves it serving", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  echo(bob.listen(7));
  const { network, random } = sim.runtimeFor("mallory");
  for (let round = 0; round < 100; round++) {
    const link = await sim.run(network.dial(server.address));
    await sim.run(link.write(random.bytes(1 + (random.bytes(1)[0] as number) * 40)).catch(() => {}));
    if (round % 2 === 0) link.close();
  }
  // Whoever has a session can send rubbish, too: in the mux, and as objects.
  for (let round = 0; round < 20; round++) {
    const session = await rawSession(sim, { server, secret: secretOf(40), host: "mallory" });
    const stream = await sim.run(session.open());
    await sim.run(stream.write(random.bytes(3_000)).catch(() => {}));
    const other = await sim.run(session.open());
    await sim.run(session.writeObject(other, random.bytes(400)));
    assert.equal(await sim.run(settled(other.read(new Uint8Array(1))), 1_000), "ended");
    session[Symbol.dispose]();
  }
  await sim.run(6_000);
  assert.deepEqual([server.stats.sessions, server.stats.handshakes], [2, 0]);
  const stream = await sim.run(alice.dial(bob.publicKey, 7));
  await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 1_000 }));
  stream.close();
});

simulationTest("a server passes on only what the asked client has signed for the request", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  using bob = await rawSession(sim, { server, secret: bobSecret, host: "bob" });
  const incoming = bob.incoming[Symbol.asyncIterator]();
  const source = { publicKey: aliceKey, port: 50_000 };
  const destination = { publicKey: bobKey, port: 80 };
  const object = request({ source, destination, secret: aliceSecret });
  const answer = { requestHash: objectHash(object), accepted: true, ip: new Uint8Array(), errorCode: 0 };
  const noiseMessage = new Uint8Array(49).fill(1);
  const good = encodeSignedResponse({ ...answer, noiseMessage }, bobSecret);
  const cases: [string, Uint8Array, "bytes" | "ended"][] = [
    ["good", good, "bytes"],
    ["signed by somebody else", encodeSignedResponse({ ...answer, noiseMessage }, aliceSecret), "ended"],
    [
      "for another request",
      encodeSignedResponse({ ...answer, requestHash: new Uint8Array(32).fill(9), noiseMessage }, bobSecret),
      "ended",
    ],
    ["changed on the way", good.with(20, at(good, 20) ^ 1), "ended"],
  ];
  for (const [name, response, expected] of cases) {
    const stream = await sim.run(session.open());
    await sim.run(session.writeObject(stream, object));
    const { value: onward } = await sim.run(incoming.next());
    assert.deepEqual(await sim.run(bob.expectObject(onward)), object);
    await sim.run(bob.writeObject(onward, response));
    assert.equal(await sim.run(settled(stream.read(new Uint8Array(1))), 100), expected, name);
    for (const one of [stream, onward]) one.reset();
    await sim.run(100);
  }
});

simulationTest("requests whose Noise is no good cost a listener no place", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const [bob, carol] = await world.clients("bob", "carol");
  const listener = bob.listen(80);
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  const now = sim.runtimeFor("alice").clock.wallNanos();
  // As many as there are places in the listener.
  for (let n = 0; n < 20; n++) {
    const source = { publicKey: aliceKey, port: 50_000 }, destination = { publicKey: bobKey, port: 80 };
    const timestamp = now + BigInt(n);
    const object = request({ source, destination, secret: aliceSecret, timestamp, noise: false });
    const stream = await sim.run(session.open());
    await sim.run(session.writeObject(stream, object));
    await assert.rejects(sim.run(session.expectObject(stream)));
  }
  const stream = await sim.run(carol.dial(bobKey, 80));
  assert.equal(stream.remoteKey, bobKey);
  stream.close();
  listener.close();
});

simulationTest("a client has 256 handshakes of streams under way, and resets more at once", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const [bob] = await world.clients("bob");
  // Nobody takes its streams: 20 wait in the listener, 256 for a place there.
  const listener = bob.listen(80);
  using session = await rawSession(sim, { server, secret: aliceSecret, host: "alice" });
  const now = sim.runtimeFor("alice").clock.wallNanos();
  const streams = [];
  for (let n = 0; n < 300; n++) {
    const source = { publicKey: aliceKey, port: 50_000 };
    const destination = { publicKey: bobKey, port: 80 };
    const object = request({ source, destination, secret: aliceSecret, timestamp: now + BigInt(n) });
    const stream = await sim.run(session.open());
    await sim.run(session.writeObject(stream, object));
    streams.push(stream);
  }
  let reset = 0;
  for (const stream of streams) stream.read(new Uint8Array(1)).catch(() => reset++);
  await sim.run(500);
  assert.equal(reset, 24);
  listener.close();
  for (const stream of streams) stream.reset();
  await sim.run(1_000);
});
