/** The control plane, whole and in parts, on virtual time. */

import assert from "node:assert/strict";
import type { HttpServer } from "../../lib/runtime/mod.ts";
import { HTTP_PORT } from "../../lib/messaging/mod.ts";
import { ControlPlane, type ControlPlaneDeps } from "../../lib/network/control_plane.ts";
import { createTransportFeedClient } from "../../lib/services/transport_discovery/mod.ts";
import { joinMessaging } from "../../lib/network/join_messaging.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { secretOf } from "../messaging/support.ts";

const PORTS = {
  "messaging-discovery": 9090,
  "messaging-server": 8081,
  "transport-discovery": 9091,
  "route-finder": 9092,
  "address-resolver": 9093,
  "setup-node": 9094,
};
const DISCOVERY = "http://discovery:9090";

/** A plane on a host of its own that runs nothing yet. */
function planeOn(sim: Simulation, host: string, more: Partial<ControlPlaneDeps> = {}): ControlPlane {
  return new ControlPlane({
    runtime: sim.runtimeFor(host),
    secret: secretOf(host.length),
    listen: (name, bind) => bind(`${host}:${PORTS[name]}`),
    databaseOf: () => "memory:",
    portOf: (name) => name === "messaging-discovery" ? HTTP_PORT : PORTS[name],
    ...more,
  });
}

const end = (sim: Simulation, part: AsyncDisposable): Promise<void> =>
  sim.run(async () => await part[Symbol.asyncDispose]());

async function health(sim: Simulation, url: string): Promise<Record<string, unknown>> {
  return await sim.run(async () =>
    await (await sim.runtimeFor("asker").http.fetch(new Request(`${url}/health`))).json()
  );
}

simulationTest("the services of a plane answer at one key as on their listeners", async (sim) => {
  const plane = planeOn(sim, "discovery");
  const served: HttpServer[] = [];
  await sim.run(async () => {
    served.push((await plane.messagingDiscovery()).server);
    await plane.messagingServer({ secret: secretOf(100), discovery: DISCOVERY });
    const map = await plane.transportDiscovery();
    served.push(map.server, (await plane.routeFinder(map.service.feed)).server, (await plane.addressResolver()).server);
    await plane.join({ discovery: DISCOVERY }).ready;
  });
  const { messaging, http } = joinMessaging({ runtime: sim.runtimeFor("a"), secret: secretOf(1), url: DISCOVERY });
  await sim.run(messaging.ready);
  for (const [i, port] of [HTTP_PORT, 9091, 9092, 9093].entries()) {
    const atKey = await sim.run(http.fetch(new Request(`dmsg://${plane.publicKey}:${port}/health`)));
    const told = await sim.run(atKey.json());
    assert.equal(told.dmsg_address, `${plane.publicKey}:${port}`);
    assert.equal(told.dmsg_servers.length, 1);
    assert.deepEqual(told, await health(sim, served[i]?.url ?? ""));
  }
  await end(sim, messaging);
  await end(sim, plane);
  assert.equal(sim.pendingTimers, 0, "nothing goes on");
});

simulationTest(
  "a service that cannot do its work says so after 10 s, in the log and in /health, until it can",
  async (sim) => {
    const relay = planeOn(sim, "relay"), finder = planeOn(sim, "finder"), setup = planeOn(sim, "the-setup-node");
    const { publicKey } = await sim.run(relay.messagingServer({ secret: secretOf(100), discovery: DISCOVERY }));
    await sim.run(relay.statusPages({ name: "messaging-server", title: "Relay", address: "relay:80" }));
    const feed = createTransportFeedClient({ ...sim.runtimeFor("finder"), url: "http://discovery:9091" });
    await sim.run(finder.routeFinder(feed));
    await sim.run(setup.statusPages({ name: "setup-node", title: "Setup node", address: "the-setup-node:80" }));
    setup.join({ discovery: DISCOVERY });
    setup.setupNode();
    const pages = ["http://relay", "http://finder:9092", "http://the-setup-node"];
    await sim.run(9_000);
    for (const page of pages) assert.ok(!("problems" in await health(sim, page)), page);
    await sim.run(2_000);
    for (
      const [page, problem] of [
        [pages[0], /others do not find this one: .*http:\/\/discovery:9090/],
        [pages[1], /map of transports is not known: .*http:\/\/discovery:9091/],
        [pages[2], /no messaging server reached: .*http:\/\/discovery:9090/],
      ] as const
    ) {
      assert.match(String((await health(sim, page ?? "")).problems), problem);
      assert.ok(sim.logLines.some((line) => line.includes(" warn ") && problem.test(line)), `${problem}`);
    }

    const discovery = planeOn(sim, "discovery");
    await sim.run(discovery.messagingDiscovery());
    await sim.run(discovery.transportDiscovery());
    await sim.run(60_000);
    for (const page of pages) assert.ok(!("problems" in await health(sim, page)), page);
    const entry = new Request(`${DISCOVERY}/dmsg-discovery/entry/${publicKey}`);
    assert.equal((await sim.run(sim.runtimeFor("asker").http.fetch(entry))).status, 200);
    for (const plane of [setup, finder, relay, discovery]) await end(sim, plane);
  },
);

simulationTest("a setup node wants a plane that has joined", async (sim) => {
  const plane = planeOn(sim, "setup");
  assert.throws(() => plane.setupNode(), /join first/);
  await end(sim, plane);
});
