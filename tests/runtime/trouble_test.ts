import assert from "node:assert/strict";
import { Trouble } from "../../lib/runtime/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";

function troubleOf(sim: Simulation): Trouble {
  const { timers, log } = sim.runtimeFor("a");
  return new Trouble({ timers, log, event: "not-registered", what: "it is not registered" });
}

simulationTest(
  "Trouble is told after 10 s, with the reason of the last try, and once for each other reason",
  async (sim) => {
    const trouble = troubleOf(sim);
    trouble.lasts();
    await sim.run(5_000);
    trouble.lasts("nobody answers at http://b:1");
    await sim.run(4_999);
    assert.deepEqual([trouble.problem, sim.logLines.length], [undefined, 0]);
    await sim.run(1);
    assert.equal(trouble.problem, "it is not registered: nobody answers at http://b:1");
    assert.match(sim.logLines[0] ?? "", /warn +not-registered .*nobody answers at http:\/\/b:1/);
    trouble.lasts("b says no");
    await sim.run(60_000);
    assert.equal(trouble.problem, "it is not registered: b says no");
    assert.match(sim.logLines[1] ?? "", /warn +not-registered .*b says no/);
    for (const reason of ["b says no", "nobody answers at http://b:1", "b says no"]) trouble.lasts(reason);
    assert.equal(sim.logLines.length, 2);
    for (let i = 0; i < 100; i++) trouble.lasts(`refused at ${i}`);
    assert.equal(sim.logLines.length, 8);

    trouble.ends();
    assert.equal(trouble.problem, undefined);
    assert.match(sim.logLines[8] ?? "", /info +works-again .*not-registered/);
    trouble.lasts();
    await sim.run(10_000);
    assert.equal(trouble.problem, "it is not registered: no try has ended yet", "another one tells its own reason");
    trouble[Symbol.dispose]();
  },
);

simulationTest("Trouble that ends within 10 s, or with its owner, is never told", async (sim) => {
  const trouble = troubleOf(sim);
  for (let i = 0; i < 3; i++) {
    trouble.lasts("away");
    await sim.run(9_000);
    trouble.ends();
  }
  trouble.lasts("away");
  trouble[Symbol.dispose]();
  assert.equal(sim.pendingTimers, 0);
  await sim.run(60_000);
  assert.deepEqual([trouble.problem, [...sim.logLines]], [undefined, []]);
});
