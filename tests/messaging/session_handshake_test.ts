import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { hasCode, ProtocolError } from "../../lib/errors/mod.ts";
import { makeFrame } from "../../lib/messaging/frames.ts";
import { acceptSession, awaitServer, initiateSession } from "../../lib/messaging/session_handshake.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { createSimulation, simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { secretOf } from "./support.ts";

const clientSecret = secretOf(1);
const serverSecret = secretOf(2);
const serverKey = publicKeyOf(serverSecret);

async function connect(sim: Simulation): Promise<[ByteLink, ByteLink]> {
  const listener = await sim.runtimeFor("server").network.listen("server:0");
  const dialled = sim.run(sim.runtimeFor("client").network.dial(listener.address));
  for await (const accepted of listener) {
    listener.close();
    return [await dialled, accepted];
  }
  throw new Error("No link");
}

simulationTest("a session handshake proves both keys and gives both sides the same records", async (sim) => {
  const [near, far] = await connect(sim);
  const initiating = initiateSession(near, {
    runtime: sim.runtimeFor("client"),
    secret: clientSecret,
    remoteKey: serverKey,
  });
  const accepting = acceptSession(far, { runtime: sim.runtimeFor("server"), secret: serverSecret });
  const [client, server] = await sim.run(Promise.all([initiating, accepting]));
  assert.equal(server.remoteKey, publicKeyOf(clientSecret));
  assert.equal(client.rttMs, 2);
  const hello = new TextEncoder().encode("hello");
  assert.deepEqual(server.records.openObject(client.records.sealObject(hello).subarray(2)), hello);
  assert.deepEqual(client.records.openObject(server.records.sealObject(hello).subarray(2)), hello);
  for (const { records } of [client, server]) records[Symbol.dispose]();
  for (const link of [near, far]) link.close();
});

simulationTest("a session handshake leaves bytes that come behind the third message (dmsg.md Q19)", async (sim) => {
  const [near, far] = await connect(sim);
  const sent: Uint8Array[] = [];
  // Everything the client writes from the third message on goes out as one piece with what follows.
  const eager: ByteLink = {
    ...near,
    write: async (bytes): Promise<void> => {
      sent.push(bytes);
      await near.write(sent.length === 2 ? new Uint8Array([...bytes, 1, 2, 3]) : bytes);
    },
  };
  const initiating = initiateSession(eager, {
    runtime: sim.runtimeFor("client"),
    secret: clientSecret,
    remoteKey: serverKey,
  });
  const accepting = acceptSession(far, { runtime: sim.runtimeFor("server"), secret: serverSecret });
  const [client, server] = await sim.run(Promise.all([initiating, accepting]));
  const early = new Uint8Array(10);
  const count = await sim.run(far.read(early));
  assert.deepEqual(early.subarray(0, count ?? 0), new Uint8Array([1, 2, 3]));
  for (const { records } of [client, server]) records[Symbol.dispose]();
  for (const link of [near, far]) link.close();
});

simulationTest("a session handshake ends after 5 s on both sides when the other is silent", async (sim) => {
  const [near, far] = await connect(sim);
  const timeout = (error: unknown): boolean => hasCode(error, "messaging/handshake-timeout");
  await sim.run(
    assert.rejects(acceptSession(far, { runtime: sim.runtimeFor("server"), secret: serverSecret }), timeout),
    5_001,
  );
  assert.equal(await sim.run(near.read(new Uint8Array(1))), null, "the server hung up");
  const [near2, far2] = await connect(sim);
  const options = { runtime: sim.runtimeFor("client"), secret: clientSecret, remoteKey: serverKey };
  await sim.run(assert.rejects(initiateSession(near2, options), timeout), 5_001);
  for (const link of [near, far2]) link.close();
});

simulationTest("a session handshake fails when the server does not own the expected key", async (sim) => {
  const [near, far] = await connect(sim);
  const initiating = initiateSession(near, {
    runtime: sim.runtimeFor("client"),
    secret: clientSecret,
    remoteKey: publicKeyOf(secretOf(3)),
  });
  const accepting = acceptSession(far, { runtime: sim.runtimeFor("server"), secret: serverSecret });
  const results = await sim.run(Promise.allSettled([initiating, accepting]));
  assert.deepEqual(results.map((result) => result.status), ["rejected", "rejected"]);
  assert.ok(results[1].status === "rejected" && results[1].reason instanceof ProtocolError);
});

Deno.test("acceptSession() survives mutated and random messages", async () => {
  const sim = createSimulation({ seed: 7 });
  const random = sim.runtimeFor("attacker").random;
  const runtime = sim.runtimeFor("server");
  for (let round = 0; round < 200; round++) {
    const [near, far] = await connect(sim);
    const length = (random.bytes(1)[0] as number) % 80;
    const accepting = acceptSession(far, { runtime, secret: serverSecret });
    accepting.catch(() => {});
    await sim.run(near.write(round % 2 === 0 ? makeFrame(random.bytes(length)) : random.bytes(length)));
    near.close();
    await sim.run(assert.rejects(accepting), 5_001);
  }
  await sim.run(10); // for what is on its way
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("awaitServer() ends as soon as the server speaks, and keeps what it said", async (sim) => {
  const [near, far] = await connect(sim);
  const { timers } = sim.runtimeFor("client");
  await sim.run(far.write(new Uint8Array([1, 2, 3, 4, 5])));
  const { link, spoke } = await sim.run(awaitServer(near, { timers, gapMs: 1_000 }), 10);
  assert.equal(spoke, true);
  const into = new Uint8Array(3);
  assert.equal(await sim.run(link.read(into)), 3);
  assert.deepEqual(into, new Uint8Array([1, 2, 3]));
  assert.equal(await sim.run(link.read(into)), 2);
  await sim.run(far.write(new Uint8Array([6])));
  assert.equal(await sim.run(link.read(into)), 1);
  for (const end of [near, far]) end.close();
  await sim.run(10); // for what is on its way
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("awaitServer() waits out the pause for a silent server, and reads on afterwards", async (sim) => {
  const [near, far] = await connect(sim);
  const { timers } = sim.runtimeFor("client");
  const began = sim.nowMs;
  const { link, spoke } = await sim.run(awaitServer(near, { timers, gapMs: 100 }));
  assert.deepEqual([spoke, sim.nowMs - began], [false, 100]);
  await sim.run(far.write(new Uint8Array([9])));
  const into = new Uint8Array(3);
  assert.equal(await sim.run(link.read(into)), 1);
  assert.equal(into[0], 9);
  far.close();
  assert.equal(await sim.run(link.read(into)), null);
  near.close();
});

simulationTest("awaitServer() notices that the server hung up", async (sim) => {
  const [near, far] = await connect(sim);
  far.close();
  const { timers } = sim.runtimeFor("client");
  await sim.run(
    assert.rejects(
      awaitServer(near, { timers, gapMs: 100 }),
      (error) => hasCode(error, "messaging/handshake-ended"),
    ),
  );
  near.close();
});
