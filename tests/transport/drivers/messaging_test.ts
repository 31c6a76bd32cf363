/** The messaging driver conforms, over a real server and real clients in a simulation; transports run over it. */

import assert from "node:assert/strict";
import type { MessagingClient } from "../../../lib/messaging/mod.ts";
import { driverConformanceCases } from "../../../lib/transport/conformance.ts";
import { createMessagingDriver } from "../../../lib/transport/mod.ts";
import { createSimulation, simulationTest } from "../../fakes/mod.ts";
import { secretOf } from "../../messaging/support.ts";
import { MessagingWorld } from "../../messaging/world.ts";
import { FakeDiscovery, makeVisor } from "../visors.ts";
import { KEY_C } from "./keys.ts";

for (const { name } of driverConformanceCases(() => Promise.reject(new Error("only the names")))) {
  Deno.test(`messaging driver: ${name}`, async () => {
    const sim = createSimulation({ seed: 1 });
    await using world = new MessagingWorld(sim);
    await world.server("server");
    const [alice, bob] = await world.clients("alice", "bob");
    const cases = driverConformanceCases(() =>
      Promise.resolve({
        dialler: createMessagingDriver({ messaging: alice }),
        listener: createMessagingDriver({ messaging: bob }),
        diallerKey: alice.publicKey,
        listenerKey: bob.publicKey,
        listenAddress: "",
        nowhere: { address: "", remoteKey: KEY_C },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      })
    );
    await sim.run(cases.find((one) => one.name === name)?.run ?? assert.fail());
  });
}

simulationTest("a transport over messaging needs no address, and comes back after the server was away", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const discovery = new FakeDiscovery();
  const visorOf = (name: string, key: number, messaging: MessagingClient): ReturnType<typeof makeVisor> =>
    makeVisor({
      runtime: sim.runtimeFor(name),
      secret: secretOf(key),
      discovery,
      drivers: [createMessagingDriver({ messaging })],
    });
  const a = visorOf("alice", 11, alice), b = visorOf("bob", 12, bob);
  await b.table.listen("dmsg", "");
  await sim.run(a.table.add({ remoteKey: bob.publicKey, kind: "dmsg" }));
  await sim.run(10_000);
  assert.deepEqual([a.only().up, b.only().up, discovery.listed.size], [true, true, 1]);
  await sim.run(server[Symbol.asyncDispose]());
  await sim.run(20_000);
  assert.deepEqual([a.only().up, b.only().up], [false, false]);
  await world.server("server");
  await sim.run(60_000);
  assert.deepEqual([a.only().up, b.only().up], [true, true]);
  await sim.run(Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]));
});
