/** Candidates for the same thing: who begins when, who wins, and what becomes of the others. */

import assert from "node:assert/strict";
import { sideBySide, sleep } from "../../lib/runtime/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";

/** What a candidate does: succeeds or fails after so many ms. */
type Plan = readonly [name: string, afterMs: number, fails?: "fails"];

/** Tries plans with a head start of 100 ms. */
async function race(
  sim: Simulation,
  plans: readonly Plan[],
  isFinal?: (error: unknown) => boolean,
): Promise<string[]> {
  const { timers } = sim.runtimeFor("a");
  const log: string[] = [];
  const began = sim.nowMs;
  const at = (text: string): void => void log.push(`${sim.nowMs - began} ${text}`);
  const winner = await sim.run(sideBySide(plans, {
    timers,
    headStartMs: 100,
    attempt: async ([name, afterMs, fails], signal) => {
      at(`${name} begins`);
      signal.addEventListener("abort", () => at(`${name} ends`), { once: true });
      await sleep(timers, afterMs);
      if (fails) throw new Error(name);
      return name;
    },
    discard: (name) => at(`${name} is late`),
    ...(isFinal && { isFinal }),
  })).catch((error) => `none: ${error.message}`);
  at(winner);
  await sim.run(1_000);
  return log.filter((line) => !line.endsWith("ends"));
}

simulationTest("the best of several has a head start, and one that fails makes room at once", async (sim) => {
  assert.deepEqual(await race(sim, [["a", 50], ["b", 1]]), ["0 a begins", "50 a"]);
  assert.deepEqual(await race(sim, [["a", 30, "fails"], ["b", 10]]), ["0 a begins", "30 b begins", "40 b"]);
  assert.deepEqual(await race(sim, [["a", 300], ["b", 50], ["c", 1]]), [
    "0 a begins",
    "100 b begins",
    "150 b",
    "300 a is late",
  ]);
  assert.deepEqual(await race(sim, [["a", 120], ["b", 50]]), [
    "0 a begins",
    "100 b begins",
    "120 a",
    "150 b is late",
  ]);
});

simulationTest("when all fail, the last failure is told; one that speaks for all is told at once", async (sim) => {
  assert.deepEqual(await race(sim, [["a", 250, "fails"], ["b", 10, "fails"]]), [
    "0 a begins",
    "100 b begins",
    "250 none: a",
  ]);
  const isFinal = (error: unknown): boolean => (error as Error).message === "a";
  assert.deepEqual(await race(sim, [["a", 20, "fails"], ["b", 10]], isFinal), ["0 a begins", "20 none: a"]);
});

simulationTest("whoever gives up ends all, and leaves no timer", async (sim) => {
  const { timers } = sim.runtimeFor("a");
  const stop = new AbortController();
  const ended: string[] = [];
  const racing = sideBySide(["a", "b", "c"], {
    timers,
    headStartMs: 100,
    attempt: (name, signal) =>
      new Promise<string>((_, reject) =>
        signal.addEventListener("abort", () => {
          ended.push(name);
          reject(signal.reason);
        })
      ),
    discard: () => {},
    signal: stop.signal,
  });
  racing.catch(() => {});
  await sim.run(150);
  stop.abort(new Error("enough"));
  await assert.rejects(racing, /enough/);
  assert.deepEqual(ended, ["a", "b"]);
  assert.equal(sim.pendingTimers, 0);
});
