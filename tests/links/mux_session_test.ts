/** The shell around the mux machine, over real TCP on the loopback interface. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hasCode } from "../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import type { ByteLink, Runtime } from "../../lib/runtime/mod.ts";
import { createMuxSession } from "../../lib/links/mux_session.ts";
import type { MuxSession, MuxStream } from "../../lib/links/mux_session.ts";
import { createVirtualTime } from "../fakes/mod.ts";
import { createPipe } from "../../lib/simulation/pipe.ts";
import type { Pipe } from "../../lib/simulation/pipe.ts";

/** Two sessions on the two ends of one TCP connection. */
interface Pair extends AsyncDisposable {
  readonly client: MuxSession;
  readonly server: MuxSession;
  /** Streams that the client opens. */
  readonly accepted: AsyncIterator<MuxStream>;
  readonly links: readonly [ByteLink, ByteLink];
}

async function connect(runtime: Runtime, options: { receiveWindow?: number } = {}): Promise<Pair> {
  const [dialled, accepted] = await connectLinks(runtime);
  const client = createMuxSession(dialled, { role: "client", runtime, keepAlive: true, ...options });
  const server = createMuxSession(accepted, { role: "server", runtime, keepAlive: true, ...options });
  return {
    client,
    server,
    accepted: server.incoming[Symbol.asyncIterator](),
    links: [dialled, accepted],
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([client[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    },
  };
}

/** The two ends of a TCP connection: the dialling one first. */
async function connectLinks(runtime: Runtime): Promise<[ByteLink, ByteLink]> {
  const listener = await runtime.network.listen("127.0.0.1:0");
  const accepting = listener[Symbol.asyncIterator]().next();
  const dialled = await runtime.network.dial(listener.address);
  const accepted = (await accepting).value;
  listener.close();
  return [dialled, accepted];
}

/** A stream and its other end. */
async function openStream(pair: Pair): Promise<[MuxStream, MuxStream]> {
  const next = pair.accepted.next();
  const ours = await pair.client.open();
  return [ours, (await next).value];
}

async function readAll(link: ByteLink, each: (part: Uint8Array) => void): Promise<number> {
  const into = new Uint8Array(65_536);
  let total = 0;
  for (let count = await link.read(into); count !== null; count = await link.read(into)) {
    each(into.subarray(0, count));
    total += count;
  }
  return total;
}

async function readText(link: ByteLink): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  await readAll(link, (part) => text += decoder.decode(part, { stream: true }));
  return text;
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const broken = (error: unknown): boolean => hasCode(error, "mux/broken");

for (const receiveWindow of [undefined, 4 * 1024 * 1024]) {
  Deno.test(`50 MB arrive whole, with a window of ${receiveWindow ?? "the default size"}`, async () => {
    await using pair = await connect(createDenoRuntime(), receiveWindow === undefined ? {} : { receiveWindow });
    const [ours, theirs] = await openStream(pair);
    const sent = createHash("sha256");
    const received = createHash("sha256");
    const send = async (): Promise<void> => {
      const chunk = new Uint8Array(1_000_000);
      for (let round = 0; round < 50; round++) {
        chunk.fill(round).set(bytesOf(`${round}`), round);
        sent.update(chunk);
        await ours.write(chunk);
      }
      ours.close();
    };
    const [total] = await Promise.all([readAll(theirs, (part) => received.update(part)), send()]);
    assert.equal(total, 50_000_000);
    assert.equal(received.digest("hex"), sent.digest("hex"));
    theirs.close();
  });
}

Deno.test("100 streams carry their own bytes at the same time, both ways", async () => {
  await using pair = await connect(createDenoRuntime());
  const echo = async (): Promise<void> => {
    for (let count = 0; count < 100; count++) {
      const { value: stream } = await pair.accepted.next();
      void (async (): Promise<void> => {
        const into = new Uint8Array(5_000);
        for (let n = await stream.read(into); n !== null; n = await stream.read(into)) {
          await stream.write(into.slice(0, n));
        }
        stream.close();
      })();
    }
  };
  const ask = async (index: number): Promise<void> => {
    const stream = await pair.client.open();
    const text = `${index},`.repeat(20_000);
    const answer = readText(stream);
    await stream.write(bytesOf(text));
    stream.closeWrite();
    assert.equal(await answer, text);
    stream.close();
  };
  await Promise.all([echo(), ...Array.from({ length: 100 }, (_, index) => ask(index))]);
});

Deno.test("a stream that nobody reads does not hold up the others", async () => {
  await using pair = await connect(createDenoRuntime());
  const [full] = await openStream(pair);
  const stuck = full.write(new Uint8Array(1_000_000)).catch((error: unknown) => error);
  const [ours, theirs] = await openStream(pair);
  await ours.write(bytesOf("past it"));
  ours.close();
  assert.equal(await readText(theirs), "past it");
  theirs.close();
  full.close();
  assert.ok(hasCode(await stuck, "mux/stream-closed"));
});

Deno.test("half a stream ends, the other half goes on", async () => {
  await using pair = await connect(createDenoRuntime());
  const [ours, theirs] = await openStream(pair);
  await ours.write(bytesOf("question"));
  ours.closeWrite();
  ours.closeWrite();
  await assert.rejects(ours.write(bytesOf("more")), (error) => hasCode(error, "mux/stream-closed"));
  assert.equal(await readText(theirs), "question");
  await theirs.write(bytesOf("answer"));
  theirs.close();
  assert.equal(await readText(ours), "answer");
  assert.equal(await ours.read(new Uint8Array(1)), null);
  ours.close();
  ours.close();
});

Deno.test("a closed stream ends its own pending read and refuses writes", async () => {
  await using pair = await connect(createDenoRuntime());
  const [ours, theirs] = await openStream(pair);
  const reading = ours.read(new Uint8Array(1));
  ours.close();
  assert.equal(await reading, null);
  await assert.rejects(ours.write(bytesOf("x")), (error) => hasCode(error, "mux/stream-closed"));
  assert.equal(await theirs.read(new Uint8Array(1)), null);
  theirs.close();
});

Deno.test("a reset breaks reads and writes of the other end, and the session lives on", async () => {
  await using pair = await connect(createDenoRuntime());
  const [ours, theirs] = await openStream(pair);
  const reading = assert.rejects(theirs.read(new Uint8Array(1)), broken);
  ours.reset();
  await reading;
  await assert.rejects(theirs.read(new Uint8Array(1)), broken);
  await assert.rejects(theirs.write(bytesOf("x")), broken);
  theirs.close();
  const [again, other] = await openStream(pair);
  await again.write(bytesOf("still here"));
  again.close();
  assert.equal(await readText(other), "still here");
  other.close();
});

Deno.test("when the link ends, streams give what came and then fail, since no FIN came, and nothing else works", async () => {
  await using pair = await connect(createDenoRuntime());
  const [ours, theirs] = await openStream(pair);
  await ours.write(bytesOf("last words"));
  // The answer to a ping comes after everything that was sent before it has arrived.
  await pair.client.ping();
  const waiting = pair.accepted.next();
  pair.client.close();
  await pair.server.closed;
  assert.equal((await waiting).done, true);
  const into = new Uint8Array(20);
  assert.equal(await theirs.read(into), 10);
  assert.equal(new TextDecoder().decode(into.subarray(0, 10)), "last words");
  await assert.rejects(theirs.read(into), broken);
  await assert.rejects(theirs.write(bytesOf("x")), broken);
  await assert.rejects(pair.server.open(), broken);
  await assert.rejects(pair.server.ping(), broken);
  assert.equal(await ours.read(new Uint8Array(1)), null);
  await assert.rejects(ours.write(bytesOf("x")), (error) => hasCode(error, "mux/closed"));
  await assert.rejects(pair.client.open(), (error) => hasCode(error, "mux/closed"));
});

Deno.test("when the peer breaks the protocol, reads fail after what came before, and finished streams end", async () => {
  const runtime = createDenoRuntime();
  const [peer, link] = await connectLinks(runtime);
  await using session = createMuxSession(link, { role: "server", runtime, keepAlive: false });
  const incoming = session.incoming[Symbol.asyncIterator]();
  // Data with SYN on stream 1, with SYN and FIN on stream 3, and then a frame of version 1.
  await peer.write(Uint8Array.fromHex("000000010000000100000003616263" + "0000000500000003000000026869"));
  const streams: MuxStream[] = [(await incoming.next()).value, (await incoming.next()).value];
  await peer.write(Uint8Array.fromHex("010000000000000000000000"));
  await session.closed;
  const into = new Uint8Array(10);
  assert.deepEqual(await Promise.all(streams.map((stream) => stream.read(into))), [3, 2]);
  await assert.rejects(streams[0]?.read(into) ?? assert.fail(), broken);
  assert.equal(await streams[1]?.read(into), null);
  peer.close();
});

Deno.test("when the link is cut, everything that waits ends, on both sides", async () => {
  await using pair = await connect(createDenoRuntime());
  const [ours, theirs] = await openStream(pair);
  const writing = ours.write(new Uint8Array(5_000_000)).catch((error: unknown) => error);
  const reading = ours.read(new Uint8Array(1));
  pair.links[1].close();
  await Promise.all([pair.client.closed, pair.server.closed]);
  assert.ok(broken(await writing));
  // A cut may show as an end or as an error, as the system has it.
  await reading.catch((error: unknown) => assert.ok(broken(error)));
  await assert.rejects(theirs.write(new Uint8Array(1)), broken);
});

Deno.test("a session whose peer is silent pings after 30 s and ends 10 s later", async () => {
  const time = createVirtualTime();
  const [there, back] = [0, 1].map(() => createPipe((deliver) => deliver(), time.touch)) as [Pipe, Pipe];
  const link: ByteLink = {
    remoteAddress: "nobody",
    read: (into) => back.read(into),
    write: (bytes) => there.write(bytes),
    close(): void {
      there.end();
      back.stop();
    },
  };
  await using session = createMuxSession(link, { role: "client", runtime: time, keepAlive: true });
  const reading = assert.rejects((await session.open()).read(new Uint8Array(1)), broken);
  let ended = false;
  void session.closed.then(() => ended = true);
  await time.run(39_999);
  const into = new Uint8Array(100);
  const sent = into.subarray(0, await there.read(into) ?? 0);
  assert.equal(sent.toHex(), "000100010000000100000000" + "000200010000000000000000");
  assert.equal(ended, false);
  await time.run(2);
  assert.equal(ended, true);
  await reading;
  assert.equal(time.pendingTimers, 0);
});

Deno.test("a session without backlog resets what the peer opens", async () => {
  const runtime = createDenoRuntime();
  const [dialled, accepted] = await connectLinks(runtime);
  await using client = createMuxSession(dialled, { role: "client", runtime, keepAlive: false, backlog: 0 });
  await using server = createMuxSession(accepted, { role: "server", runtime, keepAlive: false });
  const stream = await server.open();
  await assert.rejects(stream.read(new Uint8Array(1)), broken);
  stream.close();
  assert.ok(await client.ping() >= 0);
});

Deno.test("a ping gives the round trip, in ms", async () => {
  await using pair = await connect(createDenoRuntime());
  const roundTrips = await Promise.all([pair.client.ping(), pair.server.ping()]);
  for (const ms of roundTrips) assert.ok(ms >= 0 && ms < 10_000, `${ms} ms`);
});

Deno.test("more than 256 streams at once wait for their turn", async () => {
  await using pair = await connect(createDenoRuntime());
  const opened = Array.from({ length: 600 }, () => pair.client.open());
  const taken: MuxStream[] = [];
  for (let count = 0; count < 600; count++) taken.push((await pair.accepted.next()).value);
  const streams = await Promise.all(opened);
  await Promise.all(streams.map((stream, index) => stream.write(Uint8Array.of(index & 255))));
  const firstBytes = await Promise.all(taken.map(async (stream) => {
    const into = new Uint8Array(1);
    await stream.read(into);
    return into[0];
  }));
  assert.deepEqual(firstBytes, streams.map((_, index) => index & 255));
});
