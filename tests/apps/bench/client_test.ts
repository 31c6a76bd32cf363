import assert from "node:assert/strict";
import { BENCH_PORT, runBench, serveBench } from "../../../lib/apps/bench/mod.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { ALICE, BOB } from "../support.ts";
import { createWay, PING_MS, RELAY } from "./support.ts";

simulationTest("runBench() measures both directions, and the round trip meanwhile", async (sim) => {
  using way = await createWay(sim);
  const serving = serveBench(way.accepted, sim.runtimeFor("bob"));
  const ports: number[] = [];
  const result = await sim.run(runBench({
    durationMs: 200,
    clock: sim.runtimeFor("alice").clock,
    dial: (port) => {
      ports.push(port);
      return way.dial();
    },
  }));
  assert.deepEqual(ports, [BENCH_PORT, BENCH_PORT], "a connection for each direction");
  assert.deepEqual({ to: result.to, hops: result.hops, visors: result.visors }, {
    to: BOB,
    hops: 2,
    visors: [ALICE, RELAY, BOB],
  });
  assert.ok(result.megabytesPerSecond.up > 0 && result.megabytesPerSecond.down > 0, JSON.stringify(result));
  assert.deepEqual(result.rttMs, { p50: PING_MS, p99: PING_MS });
  way.accepted.close();
  await sim.run(serving);
});

simulationTest("runBench() says so when the other visor leaves", async (sim) => {
  using way = await createWay(sim);
  const leaving = (async () => {
    for await (const connection of way.accepted) connection.close();
  })();
  await assert.rejects(
    sim.run(runBench({ durationMs: 200, clock: sim.runtimeFor("alice").clock, dial: () => way.dial() })),
  );
  way.accepted.close();
  await sim.run(leaving);
});
