import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { acceptSession } from "../../lib/messaging/session_handshake.ts";
import { createMuxSession } from "../../lib/links/mux_session.ts";
import { ENTRY_VERSION } from "../../lib/wire/messaging_entry.ts";
import { sleep } from "../../lib/runtime/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";
import { MessagingWorld } from "./world.ts";

const secret = secretOf(1);

/** A directory that lists a server on `server:8081`. */
function directoryWithServer(): FakeDirectory {
  const directory = new FakeDirectory();
  const key = publicKeyOf(secret);
  directory.stored.set(key, {
    version: ENTRY_VERSION,
    static: key,
    sequence: 0n,
    timestamp: 0n,
    server: { address: "server:8081", availableSessions: 1 },
  });
  return directory;
}

/**
 * A server that drops every session whose first bytes come less than `needsMs` after the handshake, as one of v1.3 does
 * when they come together with its end, and which says nothing by itself (dmsg.md §3.1.4).
 * @returns how long after each handshake the first bytes came, ms
 */
async function serveLikeV13(sim: Simulation, needsMs: number): Promise<number[]> {
  const runtime = sim.runtimeFor("server");
  const listener = await runtime.network.listen("server:8081");
  const gaps: number[] = [];
  (async (): Promise<void> => {
    for await (const link of listener) {
      const { records } = await acceptSession(link, { runtime, secret });
      records[Symbol.dispose]();
      const began = sim.nowMs;
      const first = new Uint8Array(12);
      let came = await link.read(first);
      gaps.push(sim.nowMs - began);
      if (sim.nowMs - began < needsMs) {
        link.close();
        continue;
      }
      const read = async (into: Uint8Array): Promise<number | null> => {
        if (came === null) return await link.read(into);
        into.set(first.subarray(0, came));
        const count = came;
        came = null;
        return count;
      };
      createMuxSession({ ...link, read }, { role: "server", runtime, keepAlive: false });
    }
  })();
  return gaps;
}

simulationTest("a client keeps a pause before its first bytes to a server that is silent", async (sim) => {
  await using world = new MessagingWorld(sim, directoryWithServer());
  const gaps = await serveLikeV13(sim, 50);
  await world.clients("alice");
  assert.equal(gaps.length, 1);
  assert.ok((gaps[0] as number) >= 100);
});

simulationTest("a client lengthens the pause for a server that drops the session", async (sim) => {
  await using world = new MessagingWorld(sim, directoryWithServer());
  const gaps = await serveLikeV13(sim, 350);
  await world.clients("alice");
  assert.deepEqual(gaps.map((gap) => Math.floor(gap / 100)), [1, 2, 4]);
});

simulationTest("a client takes the pause of one and a half round trips on a slow path", async (sim) => {
  await using world = new MessagingWorld(sim, directoryWithServer());
  sim.setLatency("alice", "server", 200);
  const gaps = await serveLikeV13(sim, 500);
  await world.clients("alice");
  assert.equal(gaps.length, 1);
});

simulationTest("a client tries again with growing waits, and quickly again after a success", async (sim) => {
  const directory = new FakeDirectory();
  await using world = new MessagingWorld(sim, directory);
  const server = await world.server("server");
  const [alice] = await world.clients("alice");
  for (let round = 0; round < 2; round++) {
    directory.calls.length = 0;
    sim.cutLinks("alice", "server");
    sim.partition("alice", "server");
    await sim.run(120_000);
    const tries = directory.calls.filter((call) => call === "availableServers").length;
    assert.ok(tries >= 5 && tries <= 40, `${tries} tries in 2 min`);
    sim.heal("alice", "server");
    await sim.run(21_000);
    assert.equal(alice.sessions.length, 1);
    const before = sim.nowMs;
    sim.cutLinks("alice", "server");
    await sim.run(10);
    await sim.run(async () => {
      while (alice.sessions.length === 0) await sleep(sim.runtimeFor("alice").timers, 10);
    });
    assert.ok(sim.nowMs - before < 1_000, "the first retry comes soon");
  }
  assert.equal(server.stats.sessions, 1);
});

simulationTest("a client does not wait long for a server that is silent when there is another one", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  await world.server("server2");
  const names = Array.from({ length: 6 }, (_, index) => `client${index}`);
  for (const name of names) sim.partition(name, "server");
  const began = sim.nowMs;
  const clients = names.map((name, index) => world.client(name, { secret: secretOf(60 + index) }));
  await sim.run(Promise.all(clients.map((client) => client.ready)));
  assert.ok(sim.nowMs - began < 1_500, `${sim.nowMs - began} ms`);
});

simulationTest("clients of a server that restarts do not come back in step", async (sim) => {
  await using world = new MessagingWorld(sim);
  const server = await world.server("server");
  const names = Array.from({ length: 20 }, (_, index) => `client${index}`);
  const clients = names.map((name, index) => world.client(name, { secret: secretOf(60 + index) }));
  await sim.run(Promise.all(clients.map((client) => client.ready)));
  await sim.run(server[Symbol.asyncDispose]());
  await sim.run(30_000);
  await world.server("server");
  await sim.run(40_000);
  assert.ok(clients.every((client) => client.sessions.length === 1));
  const returns = new Set(clients.flatMap((client) => client.sessions.map((session) => session.since)));
  assert.ok(returns.size >= 15, `${returns.size} different times`);
});
