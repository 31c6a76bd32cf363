/** Routes through a whole network in one process, on virtual time: services, setup nodes and visors with their real parts. */

import assert from "node:assert/strict";
import { sha256 } from "../../lib/core/mod.ts";
import { describeError, hasCode, type SkywireError } from "../../lib/errors/mod.ts";
import { pingPeer } from "../../lib/routing/mod.ts";
import { createSetupClient } from "../../lib/routing/setup/client.ts";
import { at } from "../../lib/types/at.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { createSimulation, simulationTest } from "../fakes/mod.ts";
import { connect, PORT, readBytes, readText } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";
import { assertRulesLead } from "./rules.ts";

for (const hops of [1, 2, 3, 5]) {
  simulationTest(`A route of ${hops} hops carries data whole in both directions`, async (sim) => {
    await using network = await SimNetwork.create(sim);
    const visors: readonly SimVisor[] = await network.line(...Array.from({ length: hops + 1 }, (_, i) => `v${i}`));
    const [a, b] = [at(visors, 0), at(visors, -1)];
    const [dialled, accepted] = await sim.run(connect(a, b));
    assert.deepEqual(dialled.route.map((hop) => hop.to), visors.slice(1).map((visor) => visor.key));
    assert.equal(accepted.remoteKey, a.key);
    const [there, back] = [a.runtime.random.bytes(300_000), b.runtime.random.bytes(200_000)];
    const [received, returned] = await sim.run(() =>
      Promise.all([
        readBytes(accepted, there.length),
        readBytes(dialled, back.length),
        dialled.write(there),
        accepted.write(back),
      ])
    );
    assert.equal(sha256(received).toHex(), sha256(there).toHex());
    assert.equal(sha256(returned).toHex(), sha256(back).toHex());
  });
}

simulationTest(
  "A route's rules lead from each end to the other, over exactly the visors and transports of the path",
  async (sim) => {
    await using network = await SimNetwork.create(sim);
    const visors: readonly SimVisor[] = await network.line("a", "b", "c", "d");
    const [dialled] = await sim.run(connect(at(visors, 0), at(visors, 3)));
    assertRulesLead(dialled, visors);
    assert.equal(
      visors.reduce((count, { router }) => count + router.rules().length, 0),
      8,
      "a route of 3 hops has 4 rules",
    );
  },
);

simulationTest("A closed connection leaves no rule on any visor", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await network.line("a", "b", "c");
  const [dialled, accepted] = await sim.run(connect(visors[0], visors[2]));
  accepted.close();
  assert.equal(await sim.run(readText(dialled)), null);
  await sim.run(3_000);
  for (const { router } of visors) assert.deepEqual(router.rules(), []);
});

simulationTest("An idle connection stays up and its rules alive", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await network.line("a", "b", "c");
  const [dialled, accepted] = await sim.run(connect(visors[0], visors[2]));
  await sim.run(300_000);
  await sim.run(dialled.write(new TextEncoder().encode("still here")));
  assert.equal(await sim.run(readText(accepted)), "still here");
  for (const rule of visors[1].router.rules()) assert.ok(rule.idleMs < 4_000);
});

simulationTest("Rules that nobody keeps alive expire", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await network.line("a", "b", "c");
  const [a, b, c] = visors;
  const [first, second] = [at(a.transports.list(), 0).id, at(c.transports.list(), 0).id];
  const forward = [{ transportId: first, from: a.key, to: b.key }, { transportId: second, from: b.key, to: c.key }];
  const reverse = [{ transportId: second, from: c.key, to: b.key }, { transportId: first, from: b.key, to: a.key }];
  const descriptor = { source: { publicKey: a.key, port: 50_000 }, destination: { publicKey: c.key, port: PORT } };
  const route = { descriptor, keepAliveNs: 30_000_000_000n, forward, reverse };
  await sim.run(createSetupClient(a).dialRouteGroup(at(network.setupNodes, 0), route));
  assert.equal(b.router.rules().length, 2);
  assert.equal(c.router.rules().length, 2);
  await sim.run(8_000);
  assert.equal(c.router.rules().length, 0, "the responder gives up after 5 s without a handshake, and 2 s of goodbye");
  assert.equal(b.router.rules().length, 1, "its Close took the reverse rule along");
  await sim.run(28_000);
  assert.equal(b.router.rules().length, 0);
});

simulationTest("A dial follows the path asked for, though a shorter one is there", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.line("a", "b", "c");
  await network.join(a, c);
  const listener = c.router.listen(PORT);
  const direct = await sim.run(a.router.dial(c.key, PORT));
  assert.deepEqual(direct.route.map((hop) => hop.to), [c.key]);
  const around = await sim.run(a.router.dial(c.key, PORT, { path: [b.key, c.key] }));
  assert.deepEqual(around.route.map((hop) => hop.to), [b.key, c.key]);
  const longer = await sim.run(a.router.dial(c.key, PORT, { minHops: 2 }));
  assert.deepEqual(longer.route.map((hop) => hop.to), [b.key, c.key]);
  listener.close();
});

simulationTest("A dial says which hop of its path is missing", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, , d] = await network.line("a", "b", "c", "d");
  await assert.rejects(sim.run(a.router.dial(d.key, PORT, { path: [b.key, d.key] })), (error: SkywireError) => {
    assert.deepEqual(error.details, { hop: 2, of: 2, from: b.key, to: d.key });
    return hasCode(error, "route/not-found");
  });
});

simulationTest("A dial without a route opens a transport, if that is allowed", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const a = await network.visor("a", { autoTransport: true });
  const [b, c] = await network.visors("b", "c");
  await assert.rejects(sim.run(b.router.dial(c.key, PORT)), (error) => hasCode(error, "route/not-found"));
  const [dialled, accepted] = await sim.run(connect(a, c));
  await sim.run(dialled.write(new TextEncoder().encode("over messaging")));
  assert.equal(await sim.run(readText(accepted)), "over messaging");
  assert.deepEqual(a.transports.list().map(({ type, remote }) => [type, remote]), [["dmsg", c.key]]);
});

simulationTest(
  "A dial leaves the messaging transport that stood in as soon as the way over TCP is back",
  async (sim) => {
    await using network = await SimNetwork.create(sim);
    const [a, d] = [
      await network.visor("a", { autoTransport: true }),
      await network.visor("d", { autoTransport: true }),
    ];
    const b = await network.visor("b");
    await network.join(a, b);
    await network.join(d, b);
    const hopsBetween = async (from: SimVisor, to: SimVisor): Promise<PublicKey[]> => {
      const [dialled] = await sim.run(connect(from, to), 60_000);
      dialled.close();
      return dialled.route.map((hop) => hop.to);
    };
    sim.kill("b");
    await sim.run(5_000);
    assert.deepEqual(await hopsBetween(a, d), [d.key]);
    assert.deepEqual(await hopsBetween(d, a), [a.key]);
    sim.revive("b");
    await sim.run(b.transports.listen("stcp", "b:7777"));
    await sim.run(30_000);
    assert.deepEqual(await hopsBetween(a, d), [b.key, d.key]);
    assert.deepEqual(await hopsBetween(d, a), [b.key, a.key]);
  },
);

simulationTest("A dial to a port without a listener is refused by name", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b] = await network.line("a", "b");
  await assert.rejects(
    sim.run(async () => {
      await using connection = await a.router.dial(b.key, 44);
      return await readText(connection);
    }),
    (error: SkywireError) => {
      assert.match(error.message, /no listener on port 44, vpn-server offline/);
      return hasCode(error, "route/no-listener");
    },
  );
});

simulationTest("A dial to oneself is refused", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a] = await network.visors("a");
  await assert.rejects(sim.run(a.router.dial(a.key, PORT)), (error) => hasCode(error, "route/self-dial"));
});

simulationTest("A dial ends with its signal", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b] = await network.line("a", "b");
  const enough = new AbortController();
  a.runtime.timers.after(10, () => enough.abort(new Error("enough")));
  await assert.rejects(sim.run(a.router.dial(b.key, PORT, { signal: enough.signal })), /enough/);
});

simulationTest("A setup node that a visor does not trust cannot install a route there", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const trusted = at(network.setupNodes, 0);
  const other = await network.addSetupNode("other");
  const a = await network.visor("a", { setupNodes: [other] });
  const b = await network.visor("b", { setupNodes: [trusted] });
  await network.join(a, b);
  await assert.rejects(sim.run(a.router.dial(b.key, PORT)), (error) => hasCode(error, "route/setup-failed"));
  assert.deepEqual(b.router.rules(), []);
  assert.deepEqual(a.router.rules(), []);
});

simulationTest("A dial asks the next setup node when the first one is gone or not trusted on the way", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const first = at(network.setupNodes, 0);
  const second = await network.addSetupNode("second");
  const third = await network.addSetupNode("third");
  const a = await network.visor("a", { setupNodes: [second, first, third] });
  const b = await network.visor("b", { setupNodes: [first, third] });
  await network.join(a, b);
  const [dialled] = await sim.run(connect(a, b));
  dialled.close();
  sim.kill("setup", { silent: true });
  const [again] = await sim.run(connect(a, b), 60_000);
  assert.ok(again.setupMs! > 0);
});

simulationTest("Dials of many at once all succeed", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.line("a", "b", "c");
  const listeners = [a.router.listen(PORT), c.router.listen(PORT)];
  const dials = await sim.run(Promise.all(
    Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? a.router.dial(c.key, PORT) : c.router.dial(a.key, PORT)),
  ));
  assert.equal(new Set(dials.map((dial) => `${dial.remoteKey}:${dial.localPort}`)).size, 20);
  assert.equal(b.router.rules().length, 40);
  const rtts = await sim.run(Promise.all(dials.map((dial) => dial.ping())));
  assert.deepEqual(rtts, Array(20).fill(4));
  for (const listener of listeners) listener.close();
});

simulationTest("pingPeer() measures the way to a visor that runs no app", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.line("a", "b", "c");
  const { setupMs, ...result } = await sim.run(pingPeer(a.router, c.key, { count: 3 }));
  assert.deepEqual(result, { to: c.key, hops: 2, visors: [a.key, b.key, c.key], rttMs: [4, 4, 4] });
  assert.ok(setupMs > 0 && setupMs < 60, `${setupMs} ms, of 1 ms for each step between two hosts`);
});

simulationTest("Router.rules() tells who is at the other end of edge rules", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.line("a", "b", "c");
  const [dialled] = await sim.run(connect(a, c));
  for (const rule of a.router.rules()) {
    assert.deepEqual([rule.remote, rule.localPort, rule.remotePort], [c.key, dialled.localPort, PORT]);
    assert.equal(rule.keepAliveMs, 30_000);
  }
  for (const rule of b.router.rules()) assert.equal(rule.remote, undefined);
});

simulationTest("Router.close() ends connections at the other side, too", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, , c] = await network.line("a", "b", "c");
  const [, accepted] = await sim.run(connect(a, c));
  const pending = a.router.dial(c.key, 9).catch((error: unknown) => error);
  await sim.run(a.router.close());
  assert.ok(hasCode(await sim.run(pending), "route/closed"), describeError(await pending));
  assert.equal(await sim.run(readText(accepted)), null);
  await assert.rejects(a.router.dial(c.key, PORT), (error) => hasCode(error, "route/closed"));
});

Deno.test("A network in one process does the same again from the same seed", async () => {
  const runs: string[][] = [];
  for (const seed of [7, 7, 8]) {
    const sim = createSimulation({ seed });
    await using network = await SimNetwork.create(sim);
    const [a, , c] = await network.line("a", "b", "c");
    const [dialled, accepted] = await sim.run(connect(a, c));
    await sim.run(Promise.all([dialled.write(new Uint8Array(10_000)), readBytes(accepted, 10_000)]));
    await sim.run(20_000);
    runs.push([...sim.logLines, `${sim.nowMs}`]);
  }
  assert.deepEqual(runs[1], runs[0]);
  assert.notDeepEqual(runs[2], runs[0], "keys differ");
});
