/** Connections over real switches in a line, on virtual time. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import type { RouteConnection } from "../../lib/routing/route_connection.ts";
import { simulationTest } from "../fakes/mod.ts";
import { makeLine } from "./line.ts";
import { at } from "../../lib/types/at.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

async function readText(connection: RouteConnection, size = 65_536): Promise<string | null> {
  const into = new Uint8Array(size);
  const length = await connection.read(into);
  return length === null ? null : text(into.subarray(0, length));
}

simulationTest("RouteConnection carries bytes both ways", async (sim) => {
  await using line = await makeLine(sim, 2);
  const [a, b] = await line.connect();
  await sim.run(a.write(bytes("to the exit")));
  assert.equal(await sim.run(readText(b)), "to the exit");
  await sim.run(b.write(bytes("and back")));
  assert.equal(await sim.run(readText(a)), "and back");
  assert.equal(a.remoteKey, at(line.nodes, 2).key);
  assert.deepEqual([a.localPort, a.remotePort, b.localPort, b.remotePort], [49_153, 3, 3, 49_153]);
});

simulationTest("RouteConnection.readable gives one chunk for each write of up to 4070 bytes", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [a, b] = await line.connect();
  const writer = a.writable.getWriter();
  const sizes = [1, 4_070, 17, 2_000, 4_071];
  const writes = Promise.all(sizes.map((size) => writer.write(new Uint8Array(size).fill(size))));
  const reader = b.readable.getReader();
  const chunks: number[] = [];
  await sim.run(async () => {
    await writes;
    while (chunks.length < 6) chunks.push((await reader.read()).value!.length);
  });
  assert.deepEqual(chunks, [1, 4_070, 17, 2_000, 4_070, 1]);
});

simulationTest("RouteConnection.write() waits while the reader is slow, and loses nothing", async (sim) => {
  await using line = await makeLine(sim, 3);
  const [a, b] = await line.connect();
  const total = 24 * 1024 * 1024;
  let written = 0;
  const writing = (async () => {
    const chunk = new Uint8Array(65_536);
    for (; written < total; written += chunk.length) {
      chunk.forEach((_, i) => chunk[i] = (written + i) % 251);
      await a.write(chunk);
    }
    a.close();
  })();
  await sim.run(2_000);
  assert.ok(written < total, "an unread connection does not take everything");
  let read = 0;
  await sim.run(async () => {
    const into = new Uint8Array(100_000);
    for (let length = await b.read(into); length !== null; length = await b.read(into)) {
      for (let i = 0; i < length; i += 97) assert.equal(into[i], (read + i) % 251);
      read += length;
    }
    await writing;
  });
  assert.equal(read, total);
});

simulationTest("RouteConnection.close() gives the peer what was written, then the end", async (sim) => {
  await using line = await makeLine(sim, 2);
  const [a, b] = await line.connect();
  await sim.run(a.write(bytes("last words")));
  a.close();
  assert.equal(await sim.run(readText(a)), null);
  assert.equal(await sim.run(readText(b)), "last words");
  assert.equal(await sim.run(readText(b)), null);
  assert.equal((await sim.run(a.closed)).reason, "local");
  assert.equal((await sim.run(b.closed)).reason, "remote");
  await assert.rejects(a.write(bytes("x")), (error) => hasCode(error, "route/closed"));
  await assert.rejects(b.write(bytes("x")), (error) => hasCode(error, "route/broken"));
});

simulationTest("RouteConnection.close() lets no rule stay anywhere", async (sim) => {
  await using line = await makeLine(sim, 3);
  const [a, b] = await line.connect();
  a.close();
  await sim.run(b.closed);
  b.close();
  await sim.run(3_000);
  for (const { loop, runtime } of line.nodes) assert.deepEqual(loop.switch.rules(runtime.clock.monotonic()), []);
});

simulationTest("RouteConnection.close() ends reads that wait", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [a] = await line.connect();
  const waiting = readText(a);
  a.close();
  assert.equal(await sim.run(waiting, 100), null);
});

simulationTest("RouteConnection carries the text of an Error packet to the other end", async (sim) => {
  await using line = await makeLine(sim, 2);
  const [a, b] = await line.connect();
  b.close("no listener on port 3, skysocks offline");
  await assert.rejects(sim.run(readText(a)), (error: Error) => {
    assert.match(error.message, /no listener on port 3, skysocks offline/);
    return hasCode(error, "route/no-listener");
  });
});

simulationTest("RouteConnection.ping() measures the way there and back", async (sim) => {
  await using line = await makeLine(sim, 3);
  const [a] = await line.connect();
  const rtts = await sim.run(async () => [await a.ping(), await a.ping()]);
  assert.deepEqual(rtts, [6, 6], "six links of 1 ms");
});

simulationTest("RouteConnection.ping() ends with its signal, and with the connection", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [a] = await line.connect();
  await assert.rejects(a.ping(AbortSignal.abort(new Error("enough"))), /enough/);
  const waiting = assert.rejects(a.ping(), (error) => hasCode(error, "route/closed"));
  a.close();
  await sim.run(waiting);
});

simulationTest("RouteConnection counts payload bytes, also after its end", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [a, b] = await line.connect();
  await sim.run(a.write(new Uint8Array(10_000)));
  await sim.run(readText(b));
  a.close();
  await sim.run(a.closed);
  assert.ok(a.stats().sentBytes >= 10_000);
  assert.ok(b.stats().receivedBytes >= 10_000);
});

simulationTest("RouteConnection breaks at both ends when a link on its path ends", async (sim) => {
  await using line = await makeLine(sim, 3);
  const [a, b] = await line.connect();
  const waiting = [a, b].map((end) => assert.rejects(readText(end), (error) => hasCode(error, "route/broken")));
  at(line.links, 1)[0].close();
  await sim.run(Promise.all(waiting), 10_000);
});

simulationTest("RouteConnection breaks within 10 s when the path goes silent", async (sim) => {
  await using line = await makeLine(sim, 3);
  const [a, b] = await line.connect();
  const waiting = [a, b].map((end) =>
    assert.rejects(readText(end), (error: Error) => {
      assert.match(error.message, /answers no pings/);
      return hasCode(error, "route/broken");
    })
  );
  sim.partition("n1", "n2");
  await sim.run(Promise.all(waiting), 10_000);
});

simulationTest("RouteConnection stays up while it is idle", async (sim) => {
  await using line = await makeLine(sim, 3);
  const [a, b] = await line.connect();
  await sim.run(120_000);
  await sim.run(a.write(bytes("still here")));
  assert.equal(await sim.run(readText(b)), "still here");
});
