/** The status report is true: of slow ways, of addresses that lead elsewhere, of services that are away. */

import assert from "node:assert/strict";
import { ControlPlane } from "../../../lib/network/control_plane.ts";
import { formatTicket, parseTicket } from "../../../lib/network/mod.ts";
import { createVisor, type PublicKey, type StatusCheck, type Visor } from "../../../mod.ts";
import { createTransportFeedClient } from "../../../lib/services/transport_discovery/mod.ts";
import { secretOf } from "../../messaging/support.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";

async function checkOf(sim: Simulation, visor: Visor, name: string): Promise<StatusCheck> {
  const check = (await sim.run(visor.status())).checks.find((one) => one.name === name);
  assert.ok(check !== undefined, name);
  return check;
}

async function end(sim: Simulation, ...visors: Visor[]): Promise<void> {
  for (const visor of visors) await sim.run(async () => await visor[Symbol.asyncDispose]());
}

simulationTest(
  "a visor whose ticket leads to another network says so: its setup nodes are not known there",
  async (sim) => {
    const a = await sim.run(createVisor({ network: sim, data: "a" }));
    const elsewhere = `02${"ab".repeat(32)}` as PublicKey;
    const ticket = formatTicket({ ...parseTicket(a.ticket), setupNodes: [elsewhere] });
    const b = await sim.run(createVisor({ network: sim, data: "b", join: ticket }));
    const check = await checkOf(sim, b, "setup-nodes");
    assert.equal(check.state, "failed");
    assert.match(check.detail, /none of this network's setup nodes/);
    assert.equal((await sim.run(b.status())).healthy, false);
    assert.equal((await checkOf(sim, a, "setup-nodes")).state, "ok");
    await end(sim, b, a);
  },
);

simulationTest("services behind a round trip of 2.2 s work, and are not called failed", async (sim) => {
  const a = await sim.run(createVisor({ network: sim, data: "a" }));
  sim.setLatency("a", "b", 1_100);
  const b = await sim.run(createVisor({ network: sim, data: "b", join: a.ticket }), 60_000);
  await sim.run(20_000);
  for (let i = 0; i < 3; i++) {
    const { healthy, checks } = await sim.run(b.status(), 60_000);
    assert.ok(healthy, JSON.stringify(checks.filter(({ state }) => state !== "ok")));
  }
  await end(sim, b, a);
});

simulationTest("a service that has a problem is degraded, and the status says which", async (sim) => {
  const a = await sim.run(createVisor({ network: sim, data: "a" }));
  const finder = new ControlPlane({
    runtime: sim.runtimeFor("finder"),
    secret: secretOf(1),
    listen: (_name, bind) => bind("finder:9092"),
    databaseOf: () => "memory:",
  });
  const feed = createTransportFeedClient({ ...sim.runtimeFor("finder"), url: "http://nobody:9091" });
  await sim.run(finder.routeFinder(feed));
  const ticket = formatTicket({ ...parseTicket(a.ticket), routeFinder: "http://finder:9092" });
  const b = await sim.run(createVisor({ network: sim, data: "b", join: ticket }));
  await sim.run(15_000);
  const check = await checkOf(sim, b, "route-finder");
  assert.equal(check.state, "degraded");
  assert.match(check.detail, /^http:\/\/finder:9092: the map of transports is not known: .*http:\/\/nobody:9091/);
  await end(sim, b, a);
  await sim.run(async () => await finder[Symbol.asyncDispose]());
});

simulationTest("a visor without a messaging server says why", async (sim) => {
  const a = await sim.run(createVisor({ network: sim, data: "a" }));
  const b = await sim.run(createVisor({ network: sim, data: "b", join: a.ticket }));
  sim.kill("a");
  await sim.run(15_000);
  const check = await checkOf(sim, b, "messaging");
  assert.equal(check.state, "failed");
  assert.match(check.detail, /^no messaging server reached: .*(http:\/\/a:9090|a:8081)/);
  await end(sim, b, a);
});
