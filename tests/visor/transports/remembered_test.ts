/** Transports that others had opened, after a restart: whole visors on virtual time. */

import assert from "node:assert/strict";
import { simulationTest } from "../../fakes/mod.ts";
import { SimNetwork, type SimVisor } from "../../sim/network.ts";

const upTo = (visor: SimVisor, other: SimVisor): boolean =>
  visor.transports.list().some(({ remote, up }) => remote === other.key && up);

for (const isKilled of [false, true]) {
  simulationTest(
    `A transport that another opened is dialled after ${isKilled ? "a crash" : "a restart"}`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const [a, b] = await network.visors("a", "b");
      const { id } = await sim.run(a.transports.add({ remoteKey: b.key, kind: "dmsg" }));
      await sim.run(1_000);
      if (isKilled) sim.kill("b");
      await sim.run(async () => await b[Symbol.asyncDispose]());
      // A visor of v1.3 forgets the transport.
      await sim.run(a.transports.remove(id));
      sim.revive("b");
      const again = await network.visor("b");
      assert.ok(!upTo(again, a));
      await sim.run(15_000);
      assert.ok(upTo(again, a) && upTo(a, again));
    },
  );
}

simulationTest("A transport that was removed at either end is not dialled", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.visors("a", "b", "c");
  const fromA = await sim.run(a.transports.add({ remoteKey: b.key, kind: "dmsg" }));
  const fromC = await sim.run(c.transports.add({ remoteKey: b.key, kind: "dmsg" }));
  await sim.run(1_000);
  await sim.run(a.transports.remove(fromA.id));
  await sim.run(b.transports.remove(fromC.id));
  await sim.run(c.transports.remove(fromC.id).catch(() => {}));
  // A link that is gone may come back; then the transport is forgotten.
  await sim.run(90_000);
  await sim.run(async () => await b[Symbol.asyncDispose]());
  const again = await network.visor("b");
  await sim.run(60_000);
  assert.deepEqual(again.transports.list(), []);
});

simulationTest("A visor that does not come back is dialled for two minutes", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b] = await network.visors("a", "b");
  await sim.run(a.transports.add({ remoteKey: b.key, kind: "dmsg" }));
  await sim.run(1_000);
  await sim.run(async () => await b[Symbol.asyncDispose]());
  sim.kill("a");
  await sim.run(async () => await a[Symbol.asyncDispose]());
  await network.visor("b");
  await sim.run(150_000);
  const tries = (): number => sim.logLines.filter((line) => line.includes("transport-not-back")).length;
  const before = tries();
  assert.ok(before > 3, `${before} tries`);
  await sim.run(60_000);
  assert.equal(tries(), before);
});
