import assert from "node:assert/strict";
import { serveBench } from "../../../lib/apps/bench/mod.ts";
import { takeBlocks } from "../../../lib/apps/bench/protocol.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { createWay } from "./support.ts";

/** Asks for 100 ms of data. */
const DOWN_100_MS = new Uint8Array([2, 0, 0, 0, 100]);

simulationTest("serveBench() closes a connection beyond the fourth, and takes one again later", async (sim) => {
  using way = await createWay(sim);
  const serving = serveBench(way.accepted, sim.runtimeFor("bob"));
  const four = [];
  for (let i = 0; i < 4; i++) four.push(await sim.run(way.dial()));
  const fifth = await sim.run(way.dial());
  assert.equal(await sim.run(fifth.read(new Uint8Array(1))), null);
  four[0]?.close();
  const later = await sim.run(way.dial());
  await later.write(DOWN_100_MS);
  assert.ok(await sim.run(takeBlocks(later)) > 0);
  for (const connection of [...four, later]) connection.close();
  way.accepted.close();
  await sim.run(serving);
});

simulationTest("serveBench() gives up a client that asks for nothing for 10 s", async (sim) => {
  using way = await createWay(sim);
  const serving = serveBench(way.accepted, sim.runtimeFor("bob"));
  const silent = await sim.run(way.dial());
  const startedAt = sim.nowMs;
  assert.equal(await sim.run(silent.read(new Uint8Array(1))), null);
  assert.ok(sim.nowMs - startedAt >= 10_000 && sim.nowMs - startedAt < 11_000);
  way.accepted.close();
  await sim.run(serving);
});
