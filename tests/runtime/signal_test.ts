/** Waiting for a change. */

import assert from "node:assert/strict";
import { Signal } from "../../lib/runtime/mod.ts";
import { simulationTest } from "../fakes/mod.ts";

Deno.test("Signal wakes everybody who waits, once, and nobody who comes later", async () => {
  const changed = new Signal();
  changed.notify();
  const woken: string[] = [];
  const waiting = ["a", "b"].map((name) => changed.next().then(() => woken.push(name)));
  await Promise.resolve();
  assert.equal(woken.length, 0);
  changed.notify();
  await Promise.all(waiting);
  assert.equal(woken.join(), "a,b");
  const later = changed.next().then(() => woken.push("c"));
  await Promise.resolve();
  assert.equal(woken.join(), "a,b");
  changed.notify();
  await later;
});

Deno.test("a wait for a Signal ends when aborted", async () => {
  const changed = new Signal();
  const abort = new AbortController();
  const waiting = changed.next(abort.signal);
  abort.abort(new Error("stop"));
  await assert.rejects(waiting, /stop/);
  await assert.rejects(changed.next(abort.signal), /stop/);
});

simulationTest(
  "a wait for a Signal with a limit ends by the change, the limit or the abort, and leaves no timer",
  async (sim) => {
    const { timers } = sim.runtimeFor("a");
    const changed = new Signal();
    await sim.run(changed.nextWithin(timers, 500));
    assert.equal(sim.nowMs, 500);
    const waiting = changed.nextWithin(timers, 500);
    changed.notify();
    await sim.run(waiting);
    assert.equal(sim.nowMs, 500);
    const abort = new AbortController();
    const aborted = changed.nextWithin(timers, 500, abort.signal);
    abort.abort(new Error("stop"));
    await assert.rejects(sim.run(aborted), /stop/);
    assert.equal(sim.nowMs, 500);
  },
);
