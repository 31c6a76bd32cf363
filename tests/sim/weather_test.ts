/** Bad weather over a whole network: what dies, comes back empty or jumps, and how long others notice. */

import assert from "node:assert/strict";
import { generateSecretKey } from "../../lib/core/mod.ts";
import { describeError } from "../../lib/errors/mod.ts";
import { createMessagingClient, createMessagingServer, type MessagingServer } from "../../lib/messaging/mod.ts";
import type { Network, Runtime } from "../../lib/runtime/mod.ts";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
} from "../../lib/services/messaging_discovery/mod.ts";
import { at } from "../../lib/types/at.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { connect, readText } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";

const SESSIONS = 200;
const DAY_MS = 86_400_000;

for (const awayMs of [1_000, 20_000, 150_000]) {
  simulationTest(
    `${SESSIONS} sessions are back within 5 s of a relay that was away for ${awayMs / 1_000} s, without a storm`,
    async (sim) => {
      const url = "http://hub:9090";
      const discovery = await createMessagingDiscovery({ runtime: sim.runtimeFor("hub") });
      const served = await sim.runtimeFor("hub").http.serve("hub:9090", (...request) => discovery.fetch(...request));
      const directory = (runtime: Runtime) => createMessagingDiscoveryClient({ ...runtime, url });
      const attempts: number[] = [];
      const relay = sim.runtimeFor("relay");
      using relaySecret = generateSecretKey(relay.random);
      const startRelay = (): Promise<MessagingServer> =>
        sim.run(createMessagingServer({
          runtime: relay,
          secret: relaySecret,
          listen: "relay:8081",
          discovery: directory(relay),
        }));
      const first = await startRelay();
      await sim.run(first.ready);
      const clients = Array.from({ length: SESSIONS }, (_, i) => {
        const runtime = sim.runtimeFor(`client${i}`);
        const network = counting(runtime.network, () => attempts.push(sim.nowMs));
        const secret = generateSecretKey(runtime.random);
        return createMessagingClient({ runtime: { ...runtime, network }, secret, discovery: directory(runtime) });
      });
      await sim.run(Promise.all(clients.map((client) => client.ready)));
      await sim.run(30_000);
      assert.equal(first.stats.sessions, SESSIONS);
      attempts.length = 0;

      sim.kill("relay");
      await sim.run(awayMs);
      sim.revive("relay");
      const second = await startRelay();
      const backAt = sim.nowMs;
      while (second.stats.sessions < SESSIONS) {
        assert.ok(sim.nowMs - backAt < 5_000, `${second.stats.sessions} sessions after 5 s`);
        await sim.run(100);
      }
      const peak = peakPerSecond(attempts);
      assert.ok(peak <= SESSIONS, `${peak} attempts within a second: each client may make one`);

      await sim.run(Promise.all([...clients, first, second].map((part) => part[Symbol.asyncDispose]())));
      await sim.run(async () => {
        await discovery.close();
        await served.close();
      });
    },
  );
}

for (const awayMs of [1_000, 20_000, 150_000]) {
  simulationTest(
    `Dials and messaging transports work again within 8 s of a hub that was away for ${awayMs / 1_000} s`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const [a, b] = await network.line("a", "b");
      await sim.run(a.transports.add({ remoteKey: b.key, kind: "dmsg" }));
      await network.loseHub(awayMs);
      const backAt = sim.nowMs;
      await untilDialled(sim, a, b, 8_000);
      while (a.transports.list().some(({ up }) => !up)) {
        assert.ok(sim.nowMs - backAt < 8_000, "the messaging transport is still down");
        await sim.run(100);
      }
    },
  );
}

for (const afterMs of [500, 17_000, 43_000]) {
  simulationTest(
    `Everything can be dialled within a minute of discoveries that came back empty ${afterMs / 1_000} s after a start`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const [a, , c] = await network.line("a", "b", "c");
      const [dialled, accepted] = await sim.run(connect(a, c));
      await sim.run(afterMs);
      await network.loseDiscoveries();
      const lostAt = sim.nowMs;
      await assertCarries(sim, dialled, accepted);
      await untilDialled(sim, a, c, 60_000);
      await untilDialled(sim, c, a, 60_000 - (sim.nowMs - lostAt));
      const d = await network.visor("d");
      await network.join(d, a);
      await sim.run(connect(d, c));
    },
  );
}

for (const ms of [DAY_MS, -DAY_MS]) {
  for (const hosts of [["a"], ["b"], ["c"], ["setup"], ["hub"], ["a", "b", "c", "setup", "hub"]]) {
    simulationTest(
      `A clock that jumps a day ${ms > 0 ? "ahead" : "back"} on ${hosts.join(", ")} breaks nothing`,
      async (sim) => {
        await using network = await SimNetwork.create(sim);
        const [a, b, c] = await network.line("a", "b", "c");
        const [dialled, accepted] = await sim.run(connect(a, c));
        await sim.run(30_000);
        for (const host of hosts) sim.jumpClock(host, ms);
        await assertCarries(sim, dialled, accepted);
        for (let round = 0; round < 10; round++) {
          await sim.run(30_000);
          await assertCarries(sim, dialled, accepted);
          for (const [from, to] of [[a, c], [c, a], [b, a]] as const) {
            const [there] = await sim.run(connect(from, to)).catch((error) => {
              throw new Error(`round ${round}, ${from.name} to ${to.name}: ${describeError(error)}`);
            });
            there.close();
          }
        }
        for (const { transports } of [a, b, c]) assert.ok(transports.list().every(({ up }) => up));
      },
    );
  }
}

type Connection = Awaited<ReturnType<typeof connect>>[0];

async function assertCarries(sim: Simulation, from: Connection, to: Connection): Promise<void> {
  await sim.run(from.write(new TextEncoder().encode("still here")));
  assert.equal(await sim.run(readText(to)), "still here");
}

async function untilDialled(sim: Simulation, from: SimVisor, to: SimVisor, withinMs: number): Promise<void> {
  const end = sim.nowMs + withinMs;
  while (true) {
    const failure = await sim.run(connect(from, to)).then(([there]) => there.close(), (error) => error);
    if (failure === undefined) return;
    assert.ok(sim.nowMs < end, `not dialled within ${withinMs} ms: ${describeError(failure)}`);
    await sim.run(1_000);
  }
}

/** A network that tells of every dial. */
function counting(network: Network, onDial: () => void): Network {
  return {
    ...network,
    dial(...args): ReturnType<Network["dial"]> {
      onDial();
      return network.dial(...args);
    },
  };
}

/** The most events within any second. */
function peakPerSecond(times: readonly number[]): number {
  let peak = 0, first = 0;
  for (const [i, time] of times.entries()) {
    while (at(times, first) <= time - 1_000) first++;
    peak = Math.max(peak, i - first + 1);
  }
  return peak;
}
