/** The map tells the truth of every kind of transport: through deaths, cut cables and restarts. */

import assert from "node:assert/strict";
import { pingPeer } from "../../lib/routing/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { connect } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";

/** How long the map may be wrong, ms. */
const WITHIN_MS = 30_000;

const KINDS = ["stcp", "dmsg"] as const;

/** A opens a transport to B and keeps it up. */
async function open(sim: Simulation, { a, b, kind }: { a: SimVisor; b: SimVisor; kind: string }): Promise<string> {
  const address = kind === "stcp" ? { address: `${b.name}:7777` } : {};
  return (await sim.run(a.transports.add({ remoteKey: b.key, kind, ...address }), 60_000)).id;
}

/** Waits until the map says so. @returns how long it took, ms */
async function until(
  network: SimNetwork,
  { host, id, status }: { host: string; id: string; status: string },
): Promise<number> {
  const start = network.sim.nowMs;
  for (;;) {
    const listed = (await network.map(host)).find((transport) => transport.id === id);
    if (listed?.status === status) return network.sim.nowMs - start;
    assert.ok(network.sim.nowMs - start <= WITHIN_MS, `${id} is ${listed?.status ?? "not listed"}, not ${status}`);
    await network.sim.run(250);
  }
}

for (const kind of KINDS) {
  simulationTest(
    `the ${kind} transports of a visor that dies do not work within 30 s, and work within 30 s after it is back`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const [a, b, c] = await network.visors("a", "b", "c");
      const toDialler = await open(sim, { a, b, kind }), fromDialler = await open(sim, { a: b, b: c, kind });
      for (const id of [toDialler, fromDialler]) await until(network, { host: "a", id, status: "working" });

      sim.kill("b");
      for (const id of [toDialler, fromDialler]) await until(network, { host: "a", id, status: "not-working" });
      await sim.run(120_000);
      assert.deepEqual((await network.map("a")).map(({ status }) => status), ["not-working", "not-working"]);

      sim.revive("b");
      const again = await network.visor("b");
      again.transports.add({
        remoteKey: c.key,
        kind,
        keepTrying: true,
        ...(kind === "stcp" ? { address: "c:7777" } : {}),
      }).catch(() => {});
      for (const id of [toDialler, fromDialler]) await until(network, { host: "a", id, status: "working" });
    },
  );

  simulationTest(
    `a ${kind} transport whose cable is cut does not work within 30 s, and heals within 30 s`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const [a, b] = await network.visors("a", "b");
      const id = await open(sim, { a, b, kind });
      await until(network, { host: "a", id, status: "working" });
      const [dialled] = await sim.run(connect(a, b));
      dialled.close();
      for (const host of ["a", "hub", "setup"]) sim.partition(host, "b");
      await until(network, { host: "a", id, status: "not-working" });
      await sim.run(60_000);
      assert.deepEqual((await network.map("a")).map(({ status }) => status), ["not-working"]);
      for (const host of ["a", "hub", "setup"]) sim.heal(host, "b");
      await until(network, { host: "a", id, status: "working" });
      const [summary] = a.transports.list();
      assert.ok(summary!.sentPackets > 0 && summary!.latencyMs !== undefined, "counted and measured like any other");
    },
  );

  simulationTest(`a ${kind} transport is off the map when a visor closes it`, async (sim) => {
    await using network = await SimNetwork.create(sim);
    const [a, b] = await network.visors("a", "b");
    const id = await open(sim, { a, b, kind });
    await until(network, { host: "a", id, status: "working" });
    await sim.run(b.transports[Symbol.asyncDispose]());
    assert.deepEqual(await network.map("a"), []);
    await sim.run(300_000);
    assert.deepEqual(await network.map("a"), []);
  });
}

simulationTest("transports of visors that are all dead are off the map after three minutes", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b] = await network.visors("a", "b");
  const id = await open(sim, { a, b, kind: "stcp" });
  await until(network, { host: "a", id, status: "working" });
  sim.kill("a");
  sim.kill("b");
  await sim.run(100_000);
  assert.equal((await network.map("setup"))[0]?.status, "unknown");
  await sim.run(100_000);
  assert.deepEqual(await network.map("setup"), []);
});

simulationTest("routes go around a transport that the map knows not to work", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.visors("a", "b", "c");
  await network.join(a, c);
  await network.join(a, b);
  await network.join(b, c);
  // The short way breaks; both edges live, and say so.
  sim.partition("a", "c");
  await sim.run(WITHIN_MS);
  const { visors } = await sim.run(pingPeer(a.router, c.key, { count: 1 }), 60_000);
  assert.deepEqual(visors, [a.key, b.key, c.key]);
});
