/** What programs see of the SOCKS5 client when the way to the server breaks, on virtual time. */

import assert from "node:assert/strict";
import { createSocksClient, createSocksServer, type SocksServerOptions } from "../../../lib/apps/mod.ts";
import type { ByteLink } from "../../../lib/runtime/mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { ALICE, BOB, createTestOverlay, runApp, type TestOverlay } from "../support.ts";

/** A destination; hosts are named by address here. */
const TARGET = "203.0.113.9";
const SUCCEEDED = "05000001000000000000";
const FAILED = "05010001000000000000";
const GREETING = "050100";
const REQUEST = "05010001cb0071090050";
const PROXY = "127.0.0.1:1080";

/** Client at Alice, server at Bob, an echo at the destination; all end after the test. */
async function withProxy(
  sim: Simulation,
  options: Partial<SocksServerOptions>,
  test: (overlay: TestOverlay) => Promise<void>,
): Promise<void> {
  const overlay = await sim.run(createTestOverlay(sim.runtimeFor("overlay")));
  const target = await sim.runtimeFor(TARGET).network.listen(`${TARGET}:80`);
  const echoing = (async (): Promise<void> => {
    for await (const link of target) void echo(link).catch(() => {}); // A route that breaks breaks its links.
  })();
  const server = await sim.run(runApp(createSocksServer({
    runtime: sim.runtimeFor("bob"),
    network: overlay.networkOf(BOB),
    destinations: [`${TARGET}/32`],
    ...options,
  })));
  const client = await sim.run(runApp(createSocksClient({
    runtime: sim.runtimeFor("alice"),
    network: overlay.networkOf(ALICE),
    remote: BOB,
    listen: PROXY,
    path: [ALICE, BOB],
    name: "proxy",
  })));
  await sim.run(100);
  await test(overlay);
  target.close();
  await sim.run(() => Promise.all([client[Symbol.asyncDispose](), server[Symbol.asyncDispose](), echoing]));
  await sim.run(() => overlay[Symbol.asyncDispose]());
}

async function echo(link: ByteLink): Promise<void> {
  const into = new Uint8Array(1_000);
  for (let count = await link.read(into); count !== null; count = await link.read(into)) {
    await link.write(into.slice(0, count));
  }
  link.close();
}

/** A program that has a connection to the proxy. */
class Program {
  readonly #sim: Simulation;
  readonly link: ByteLink;

  constructor(sim: Simulation, link: ByteLink) {
    this.#sim = sim;
    this.link = link;
  }

  static async connect(sim: Simulation): Promise<Program> {
    return new Program(sim, await sim.run(sim.runtimeFor("alice").network.dial(PROXY)));
  }

  async say(hex: string): Promise<void> {
    await this.#sim.run(this.link.write(Uint8Array.fromHex(hex)));
  }

  /** The next `count` bytes as hex, fewer when the connection ends before. */
  async hear(count: number): Promise<string> {
    const into = new Uint8Array(count);
    let done = 0;
    while (done < count) {
      const came = await this.#sim.run(this.link.read(into.subarray(done)).catch(() => null));
      if (came === null) break;
      done += came;
    }
    return into.subarray(0, done).toHex();
  }

  /** The connection has ended. */
  async expectEnd(): Promise<void> {
    assert.equal(await this.hear(1), "");
    this.link.close();
  }
}

/** Runs `work` and says how long it took, virtual ms. */
async function timed(sim: Simulation, work: () => Promise<void>): Promise<number> {
  const began = sim.nowMs;
  await work();
  return sim.nowMs - began;
}

simulationTest(
  "a route that works carries the whole conversation, over the path that was asked for",
  (sim) =>
    withProxy(sim, {}, async (overlay) => {
      const program = await Program.connect(sim);
      await program.say(GREETING + REQUEST + "01020304");
      assert.equal(await program.hear(16), "0500" + SUCCEEDED + "01020304");
      program.link.closeWrite?.();
      await program.expectEnd();
      assert.deepEqual(overlay.dials, [[ALICE, BOB]]);
    }),
);

simulationTest(
  "without a route every program gets a SOCKS error, and the next one works once there is a route",
  (sim) =>
    withProxy(sim, {}, async (overlay) => {
      overlay.isDown = true;
      overlay.cut();
      const plain = await Program.connect(sim);
      const took = await timed(sim, async () => {
        await plain.say(GREETING);
        assert.equal(await plain.hear(2), "0500");
        await plain.say(REQUEST);
        assert.equal(await plain.hear(10), FAILED);
        await plain.expectEnd();
      });
      assert.ok(took < 10_000, `${took} ms`);

      const withPassword = await Program.connect(sim);
      await withPassword.say("050102");
      assert.equal(await withPassword.hear(2), "0502");
      await withPassword.say("01" + "0161" + "0162" + REQUEST);
      assert.equal(await withPassword.hear(12), "0100" + FAILED);
      await withPassword.expectEnd();

      const picky = await Program.connect(sim);
      await picky.say("050101");
      assert.equal(await picky.hear(2), "05ff");
      await picky.expectEnd();

      const stranger = await Program.connect(sim);
      await stranger.say(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n").toHex());
      await stranger.expectEnd();

      overlay.isDown = false;
      await sim.run(6_000);
      const lucky = await Program.connect(sim);
      await lucky.say(GREETING + REQUEST);
      assert.equal(await lucky.hear(12), "0500" + SUCCEEDED);
      lucky.link.close();
    }),
);

simulationTest(
  "a program that comes shortly before the route does is served",
  (sim) =>
    withProxy(sim, {}, async (overlay) => {
      overlay.cut();
      const program = await Program.connect(sim);
      await program.say(GREETING + REQUEST);
      const took = await timed(sim, async () => assert.equal(await program.hear(12), "0500" + SUCCEEDED));
      assert.ok(took < 500, `${took} ms`);
      program.link.close();
    }),
);

simulationTest(
  "the client dials again quickly at first, never more than 2.5 s apart, and for ever",
  (sim) =>
    withProxy(sim, {}, async (overlay) => {
      overlay.isDown = true;
      await sim.run(3_000);
      overlay.cut();
      const before = overlay.dials.length;
      await sim.run(300);
      assert.ok(overlay.dials.length > before, "the first comes within 250 ms");
      await sim.run(3_600_000);
      const dials = overlay.dials.length - before;
      assert.ok(dials >= 1_440 && dials <= 3_000, `${dials} in an hour`);
    }),
);

simulationTest(
  "a route that falls silent costs a program less than 10 s, and is replaced",
  (sim) =>
    withProxy(sim, {}, async (overlay) => {
      overlay.isSilent = true;
      const program = await Program.connect(sim);
      await program.say(GREETING);
      const took = await timed(sim, async () => {
        assert.equal(await program.hear(2), "0500");
        await program.say(REQUEST);
        assert.equal(await program.hear(10), FAILED);
        await program.expectEnd();
      });
      assert.ok(took < 10_000, `${took} ms`);
      overlay.isSilent = false;
      await sim.run(10_000);
      assert.equal(overlay.dials.length, 2);
      const next = await Program.connect(sim);
      await next.say(GREETING + REQUEST);
      assert.equal(await next.hear(12), "0500" + SUCCEEDED);
      next.link.close();
    }),
);

simulationTest(
  "a connection that waits for a route is not given up for a program that comes meanwhile, and goes on",
  (sim) =>
    withProxy(sim, {}, async (overlay) => {
      const program = await Program.connect(sim);
      await program.say(GREETING + REQUEST);
      assert.equal(await program.hear(12), "0500" + SUCCEEDED);
      overlay.isSilent = overlay.isWaiting = true;
      const other = await Program.connect(sim);
      await other.say(GREETING + REQUEST);
      assert.equal(await other.hear(12), "0500" + FAILED);
      await sim.run(30_000);
      overlay.isSilent = overlay.isWaiting = false;
      await program.say("0102");
      assert.equal(await program.hear(2), "0102");
      assert.equal(overlay.dials.length, 1);
      program.link.close();
    }),
);

simulationTest(
  "a program whose request was under way when the route broke gets the reply that it waits for",
  (sim) =>
    withProxy(sim, { passcode: "sesame" }, async (overlay) => {
      const password = `0106${new TextEncoder().encode("sesame").toHex()}00`;
      const before = await Program.connect(sim);
      await before.say("050102" + password);
      assert.equal(await before.hear(4), "0502" + "0100");
      overlay.cut();
      await before.say(REQUEST);
      assert.equal(await before.hear(10), FAILED);
      await before.expectEnd();
    }),
);

simulationTest("connections over a route that breaks end at once", (sim) =>
  withProxy(sim, {}, async (overlay) => {
    const program = await Program.connect(sim);
    await program.say(GREETING + REQUEST);
    assert.equal(await program.hear(12), "0500" + SUCCEEDED);
    overlay.cut();
    const took = await timed(sim, () => program.expectEnd());
    assert.ok(took < 100, `${took} ms`);
  }));

simulationTest(
  "the server ends what is idle, and turns away visors that are not on its list",
  (sim) =>
    withProxy(sim, { idleMs: 60_000 }, async () => {
      const program = await Program.connect(sim);
      await program.say(GREETING + REQUEST);
      assert.equal(await program.hear(12), "0500" + SUCCEEDED);
      await program.say("aa");
      assert.equal(await program.hear(1), "aa");
      const took = await timed(sim, () => program.expectEnd());
      assert.ok(took >= 59_000 && took < 61_000, `${took} ms`);
    }).then(() =>
      withProxy(sim, { allow: [BOB] }, async (overlay) => {
        const program = await Program.connect(sim);
        await program.say(GREETING + REQUEST);
        assert.equal(await program.hear(12), "0500" + FAILED);
        program.link.close();
        await sim.run(60_000);
        assert.ok(overlay.dials.length < 40, `${overlay.dials.length} dials in a minute: it backs off`);
      })
    ),
);
