/** A network of one behind a router that leads nobody from inside to its own public name. */

import assert from "node:assert/strict";
import { parseTicket } from "../../lib/network/mod.ts";
import { startVisor } from "../../lib/visor/mod.ts";
import { createMemoryStorage, simulationTest } from "../fakes/mod.ts";

simulationTest("a network of one works where its public address leads nowhere from inside", async (sim) => {
  // Another host than the one it runs on, which accepts nothing.
  const host = "198.51.100.7";
  const visor = await sim.run(startVisor({ runtime: sim.runtimeFor("home"), storage: createMemoryStorage(), host }));
  await sim.run(3_000);
  const { checks } = await sim.run(visor.status());
  assert.deepEqual(checks.filter(({ state }) => state !== "ok"), []);
  assert.ok(checks.some(({ name }) => name === "public-address"));
  const { messagingDiscovery, transportDiscovery, routeFinder, addressResolver } = parseTicket(visor.ticket);
  for (const url of [messagingDiscovery, transportDiscovery, routeFinder, addressResolver]) {
    assert.equal(new URL(url!).hostname, host);
  }
  await sim.run(async () => await visor[Symbol.asyncDispose]());
});
