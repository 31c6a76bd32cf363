import assert from "node:assert/strict";
import type { App } from "../../../lib/apps/mod.ts";
import { AppsPart } from "../../../lib/visor/apps/part.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";

/** An app that does nothing until it is to end. */
function idle(name: string): App {
  return {
    name,
    port: 8080,
    run: ({ signal, ready }) => {
      ready();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  };
}

function partIn(sim: Simulation): { readonly part: AppsPart; readonly states: () => string[] } {
  const part = new AppsPart({ runtime: sim.runtimeFor("a") });
  return { part, states: () => part.list().map(({ name, state }) => `${name} ${state}`) };
}

simulationTest("AppsPart has the owner of an app keep whether the user stopped it", async (sim) => {
  const { part, states } = partIn(sim);
  const kept: boolean[] = [];
  part.add(idle("one"), (stopped) => Promise.resolve(void kept.push(stopped)));
  assert.equal(part.stateOf("one"), "stopped");
  await part.run("one");
  assert.deepEqual([states(), kept], [["one running"], []], "what nobody asked for is not kept");
  await part.stop("one");
  await part.start("one");
  assert.deepEqual([states(), kept], [["one running"], [true, false]]);
  assert.deepEqual(part.list()[0]?.since, "2030-01-01T00:00:00.000Z");
  await part.remove("one");
  assert.deepEqual(states(), []);
  for (const wrong of [part.start("one"), part.stop("one"), part.remove("one")]) {
    await assert.rejects(wrong, { code: "app/unknown" });
  }
  await part[Symbol.asyncDispose]();
});

simulationTest("AppsPart leaves an app as it was when that cannot be kept", async (sim) => {
  const { part, states } = partIn(sim);
  part.add(idle("one"), () => Promise.reject(new Error("the disk is full")));
  await assert.rejects(part.start("one"), /disk is full/);
  assert.deepEqual(states(), ["one stopped"]);
  await part.run("one");
  await assert.rejects(part.stop("one"), /disk is full/);
  await assert.rejects(part.start("one"), /disk is full/);
  assert.deepEqual(states(), ["one running"]);
  await part[Symbol.asyncDispose]();
  assert.deepEqual(states(), ["one stopped"]);
});
