/** Messaging with the real discovery service, which comes and goes. */

import assert from "node:assert/strict";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
} from "../../lib/services/messaging_discovery/mod.ts";
import type { MessagingDiscoveryClient } from "../../lib/services/messaging_discovery/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { assertEchoes, echo, MessagingWorld } from "./world.ts";

/** Starts a discovery with an empty store on `discovery:9090`. @returns stops it */
async function serveDiscovery(sim: Simulation): Promise<() => Promise<void>> {
  const runtime = sim.runtimeFor("discovery");
  const service = await createMessagingDiscovery({ runtime });
  const http = await runtime.http.serve("discovery:9090", service.fetch);
  return async () => {
    await http.close();
    await service.close();
  };
}

function discoverySeenFrom(sim: Simulation, host: string): MessagingDiscoveryClient {
  return createMessagingDiscoveryClient({ ...sim.runtimeFor(host), url: "http://discovery:9090" });
}

simulationTest("a server and two clients find each other through the discovery", async (sim) => {
  const stop = await sim.run(serveDiscovery(sim));
  const discovery = discoverySeenFrom(sim, "alice");
  {
    await using world = new MessagingWorld(sim, discovery);
    const server = await world.server("server", { limits: { sessions: 10 } });
    const [alice, bob] = await world.clients("alice", "bob");
    echo(bob.listen(7));
    const stream = await sim.run(alice.dial(bob.publicKey, 7));
    await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 100_000 }));
    stream.close();
    await sim.run(300_000);
    const [listed] = await sim.run(discovery.availableServers());
    assert.deepEqual([listed?.static, listed?.server?.availableSessions], [server.publicKey, 8]);
    assert.deepEqual((await sim.run(discovery.entry(bob.publicKey)))?.client?.delegatedServers, [server.publicKey]);
  }
  assert.deepEqual(await sim.run(discovery.allServers()), [], "all have taken their leave");
  await sim.run(stop());
});

simulationTest("all are back within a minute after the discovery lost its store", async (sim) => {
  let stop = await sim.run(serveDiscovery(sim));
  {
    const discovery = discoverySeenFrom(sim, "alice");
    await using world = new MessagingWorld(sim, discovery);
    const server = await world.server("server");
    const [alice, bob] = await world.clients("alice", "bob");
    echo(bob.listen(7));
    await sim.run(stop());
    await sim.run(1_000);
    stop = await sim.run(serveDiscovery(sim));
    await sim.run(60_000);
    for (const key of [server.publicKey, alice.publicKey, bob.publicKey]) {
      assert.ok(await sim.run(discovery.entry(key)) !== undefined);
    }
    const stream = await sim.run(alice.dial(bob.publicKey, 7));
    await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 100 }));
    stream.close();
  }
  await sim.run(stop());
});

simulationTest(
  "known peers are dialled while the discovery is away for an hour, and all is well afterwards",
  async (sim) => {
    let stop = await sim.run(serveDiscovery(sim));
    {
      await using world = new MessagingWorld(sim, discoverySeenFrom(sim, "alice"));
      await world.server("server");
      const [alice, bob] = await world.clients("alice", "bob");
      echo(bob.listen(7));
      await sim.run(stop());
      await sim.run(3_600_000);
      const meanwhile = await sim.run(alice.dial(bob.publicKey, 7));
      await sim.run(assertEchoes(meanwhile, { runtime: sim.runtimeFor("alice"), length: 100 }));
      meanwhile.close();
      stop = await sim.run(serveDiscovery(sim));
      const carol = world.client("carol");
      await sim.run(carol.ready, 60_000);
      await sim.run(15_000); // bob publishes again within this
      const stream = await sim.run(carol.dial(bob.publicKey, 7));
      await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("carol"), length: 100 }));
      stream.close();
    }
    await sim.run(stop());
  },
);
