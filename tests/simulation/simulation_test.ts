/** The world in memory behaves like the real one where it matters, and its faults do what they say. */

import assert from "node:assert/strict";
import { hasCode, UnavailableError } from "../../lib/errors/mod.ts";
import { sleep } from "../../lib/runtime/mod.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { createMemoryStorage, createSimulation, simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** A link from host `a` to host `b`; the listener is closed again. */
async function connect(sim: Simulation): Promise<[ByteLink, ByteLink]> {
  const listener = await sim.runtimeFor("b").network.listen("0.0.0.0:0");
  const accepting = listener[Symbol.asyncIterator]().next();
  const dialled = await sim.run(sim.runtimeFor("a").network.dial(listener.address));
  const accepted = await accepting;
  listener.close();
  assert.ok(!accepted.done);
  return [dialled, accepted.value];
}

simulationTest("time jumps to the next timer and stands still otherwise", async (sim) => {
  const { timers, clock } = sim.runtimeFor("a");
  const fired: string[] = [];
  timers.after(3_600_000, () => fired.push("late"));
  timers.after(20, () => fired.push("b"));
  timers.after(10, () => fired.push("a"));
  timers.after(15, () => fired.push("never"))();
  await sim.run(1_000);
  assert.deepEqual([fired, clock.monotonic()], [["a", "b"], 1_000]);
  await sim.run(sleep(timers, 50));
  assert.equal(clock.monotonic(), 1_050);
  await sim.run(4_000_000);
  assert.deepEqual(fired, ["a", "b", "late"]);
});

simulationTest("run() says when nothing is left to happen, and when the goal comes too late", async (sim) => {
  await assert.rejects(sim.run(new Promise(() => {})), /stuck/);
  await assert.rejects(sim.run(sleep(sim.runtimeFor("a").timers, 5_000), 1_000), /not reached/);
  await sim.run(5_000);
});

simulationTest("links carry bytes both ways after the latency, and end in order", async (sim) => {
  sim.setLatency("a", "b", 40);
  const [a, b] = await connect(sim);
  const started = sim.nowMs;
  await a.write(bytes(1, 2));
  await a.write(bytes(3));
  a.close();
  const into = new Uint8Array(10);
  assert.equal(await sim.run(b.read(into)), 2);
  assert.equal(sim.nowMs - started, 40);
  assert.equal(await sim.run(b.read(into)), 1);
  assert.equal(await sim.run(b.read(into)), null);
  await sim.run(1);
  await assert.rejects(sim.run(b.write(bytes(1))), UnavailableError);
  b.close();
});

simulationTest("a write waits while the reader is slow, and nothing is lost", async (sim) => {
  const [a, b] = await connect(sim);
  const sent = new Uint8Array(1 << 20).map((_, i) => i * 31);
  let written = false;
  const writing = a.write(sent).then(() => written = true);
  await sim.run(1_000);
  assert.equal(written, false);
  const got = new Uint8Array(sent.length);
  await sim.run(async () => {
    for (let at = 0; at < got.length;) at += await b.read(got.subarray(at)) ?? assert.fail("ended");
    await writing;
  });
  assert.deepEqual(got, sent);
  a.close();
  b.close();
});

simulationTest("close() ends a pending read with null", async (sim) => {
  const [a, b] = await connect(sim);
  const reading = a.read(new Uint8Array(1));
  a.close();
  assert.equal(await sim.run(reading), null);
  b.close();
});

simulationTest("addresses: loopback is one's own host, taken and closed ports are told apart", async (sim) => {
  const a = sim.runtimeFor("a").network, b = sim.runtimeFor("b").network;
  const inner = await a.listen("127.0.0.1:80");
  assert.equal(inner.address, "127.0.0.1:80");
  await assert.rejects(a.listen("a:80"), (e) => hasCode(e, "network/address-in-use"));
  await assert.rejects(a.listen("b:80"), (e) => hasCode(e, "network/listen-failed"));
  await assert.rejects(sim.run(b.dial("a:80")), (e) => hasCode(e, "network/dial-failed"));
  await assert.rejects(sim.run(b.dial("127.0.0.1:80")), (e) => hasCode(e, "network/dial-failed"));
  (await sim.run(a.dial("127.0.0.1:80"))).close();
  inner.close();
  const outer = await a.listen("0.0.0.0:0");
  (await sim.run(b.dial(outer.address))).close();
  outer.close();
  await assert.rejects(sim.run(b.dial(outer.address)), (e) => hasCode(e, "network/dial-failed"));
});

simulationTest("a partition holds everything back, and healing lets it arrive", async (sim) => {
  const [a, b] = await connect(sim);
  sim.partition("a", "b");
  await a.write(bytes(7));
  const into = new Uint8Array(1);
  const reading = b.read(into);
  await sim.run(60_000);
  const listener = await sim.runtimeFor("b").network.listen("b:9");
  const dialling = sim.runtimeFor("a").network.dial("b:9");
  dialling.catch(() => {});
  await assert.rejects(sim.run(dialling), (e) => hasCode(e, "network/dial-failed"));
  sim.heal("a", "b");
  assert.equal(await sim.run(reading), 1);
  assert.equal(into[0], 7);
  listener.close();
  a.close();
  b.close();
});

simulationTest("block() stops one direction only", async (sim) => {
  const [a, b] = await connect(sim);
  sim.block("a", "b");
  await b.write(bytes(1));
  assert.equal(await sim.run(a.read(new Uint8Array(1))), 1);
  await a.write(bytes(1));
  let arrived = false;
  const reading = b.read(new Uint8Array(1)).then(() => arrived = true);
  await sim.run(10_000);
  assert.equal(arrived, false);
  sim.heal("a", "b");
  await sim.run(reading);
  a.close();
  b.close();
});

simulationTest("cutLinks() breaks links on both sides; new ones can be dialled", async (sim) => {
  const [a, b] = await connect(sim);
  const readings = Promise.allSettled([a.read(new Uint8Array(1)), b.read(new Uint8Array(1))]);
  assert.equal(sim.cutLinks("b", "a"), 1);
  assert.deepEqual((await sim.run(readings)).map(({ status }) => status), ["rejected", "rejected"]);
  const [c, d] = await connect(sim);
  for (const link of [a, b, c, d]) link.close();
});

simulationTest(
  "kill() breaks the links of a host; silently, its peers hear nothing until it comes back",
  async (sim) => {
    const [a, b] = await connect(sim);
    const reading = a.read(new Uint8Array(1));
    sim.kill("b");
    await assert.rejects(sim.run(reading), UnavailableError);
    await assert.rejects(sim.runtimeFor("b").network.dial("a:1"), (e) => hasCode(e, "network/dial-failed"));
    await assert.rejects(sim.runtimeFor("b").network.listen("b:1"), (e) => hasCode(e, "network/listen-failed"));
    sim.revive("b");
    const [c, d] = await connect(sim);
    const silent = c.read(new Uint8Array(1));
    let heard = false;
    silent.catch(() => {}).finally(() => heard = true);
    sim.kill("b", { silent: true });
    await sim.run(100_000);
    assert.equal(heard, false);
    sim.revive("b");
    await assert.rejects(sim.run(silent), UnavailableError);
    for (const link of [a, b, c, d]) link.close();
  },
);

simulationTest("HTTP reaches the handler of the address, bodies stream, and failures are told", async (sim) => {
  const a = sim.runtimeFor("a").http, b = sim.runtimeFor("b").http;
  const server = await b.serve("b:0", async (request, { remote }) => {
    if (request.url.endsWith("/throw")) throw new Error("inside");
    return new Response(`${remote} ${await request.text()}`, { status: 201, headers: { "x-y": "z" } });
  });
  const started = sim.nowMs;
  const response = await sim.run(a.fetch(new Request(`${server.url}/x`, { method: "POST", body: "hi" })));
  assert.deepEqual([response.status, response.headers.get("x-y")], [201, "z"]);
  assert.equal(await sim.run(response.text()), "a:40000 hi");
  assert.equal(sim.nowMs - started, 2);
  assert.equal((await sim.run(a.fetch(new Request(`${server.url}/throw`)))).status, 500);
  sim.partition("a", "b");
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(sim.run(a.fetch(new Request(server.url, { signal }))), /enough/);
  await assert.rejects(sim.run(a.fetch(new Request(server.url))), (e) => hasCode(e, "http/unreachable"));
  sim.heal("a", "b");
  await server.close();
  await assert.rejects(sim.run(a.fetch(new Request(server.url))), (e) => hasCode(e, "http/unreachable"));
});

simulationTest("an endless response body ends when its server is killed or its client leaves", async (sim) => {
  let cancelled = 0;
  const serve = (): Promise<unknown> =>
    sim.runtimeFor("b").http.serve("b:80", () =>
      new Response(
        new ReadableStream({ start: (c) => c.enqueue(bytes(1)), cancel: () => void cancelled++ }, { highWaterMark: 0 }),
      ));
  await serve();
  const first = await sim.run(sim.runtimeFor("a").http.fetch(new Request("http://b/")));
  const reader = first.body?.getReader() ?? assert.fail("no body");
  assert.deepEqual((await sim.run(reader.read())).value, bytes(1));
  const hanging = reader.read();
  sim.kill("b");
  await assert.rejects(sim.run(hanging), (e) => hasCode(e, "http/unreachable"));
  sim.revive("b");
  await serve();
  const leaving = new AbortController();
  const request = new Request("http://b/", { signal: leaving.signal });
  const second = await sim.run(sim.runtimeFor("a").http.fetch(request));
  const text = second.text();
  leaving.abort(new Error("left"));
  await assert.rejects(sim.run(text), /left/);
  assert.equal(cancelled, 2);
});

Deno.test("a simulation is a function of its seed", () => {
  const draw = (seed: number): string => {
    const { random } = createSimulation({ seed }).runtimeFor("a");
    return random.bytes(33).toHex() + random.bytes(3).toHex();
  };
  assert.equal(draw(1), draw(1));
  assert.notEqual(draw(1), draw(2));
  const sim = createSimulation({ seed: 1 });
  assert.notEqual(sim.runtimeFor("a").random.bytes(8).toHex(), sim.runtimeFor("b").random.bytes(8).toHex());
});

Deno.test("storage in memory keeps files apart from the caller's bytes, and can be full", async () => {
  const storage = createMemoryStorage();
  const content = bytes(1, 2);
  await storage.write("x", content);
  content[0] = 9;
  assert.deepEqual(await storage.read("x"), bytes(1, 2));
  storage.full = true;
  await assert.rejects(storage.write("x", content), (e) => hasCode(e, "storage/write-failed"));
  await storage.remove("x");
  assert.equal(await storage.read("x"), undefined);
});

Deno.test("memory storage tells what is in it, and forgets a lock whose taking is undone", async () => {
  const storage = createMemoryStorage();
  await storage.write("c/y", bytes());
  {
    using lock = await storage.lock("lock");
    assert.deepEqual(await storage.list(), ["c", "lock"]);
    await lock?.undo();
  }
  assert.deepEqual(await storage.list(), ["c"]);
  (await storage.lock("lock"))?.[Symbol.dispose]();
  using again = await storage.lock("lock");
  await again?.undo();
  assert.deepEqual(await storage.list(), ["c", "lock"]);
});
