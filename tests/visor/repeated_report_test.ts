import assert from "node:assert/strict";
import { RepeatedReport } from "../../lib/visor/repeated_report.ts";
import { simulationTest } from "../fakes/mod.ts";

simulationTest(
  "A report is repeated at its pace, sooner after a failure, and taken back once it was made",
  async (sim) => {
    const runtime = sim.runtimeFor("visor");
    const made: number[] = [];
    let fails = false, takenBack = 0;
    const report = new RepeatedReport({
      runtime,
      name: "greeting",
      everyMs: 300_000,
      report: () => {
        made.push(sim.nowMs);
        return fails ? Promise.reject(new Error("nobody is there")) : Promise.resolve();
      },
      takeBack: () => Promise.resolve(void takenBack++),
    });
    await sim.run(300_100);
    assert.equal(made.length, 2);
    assert.equal(report.problem, undefined);
    fails = true;
    await sim.run(300_000);
    await sim.run(3_000);
    assert.equal(report.problem, "nobody is there");
    assert.ok(made.length >= 4, "it tries again at once");
    assert.equal(sim.logLines.filter((line) => line.includes("greeting-failed")).length, 1, "each reason once");
    fails = false;
    await sim.run(60_000);
    assert.equal(report.problem, undefined);
    await sim.run(async () => await report[Symbol.asyncDispose]());
    assert.equal(takenBack, 1);
  },
);

simulationTest("What was never said is not taken back", async (sim) => {
  let takenBack = 0;
  const report = new RepeatedReport({
    runtime: sim.runtimeFor("visor"),
    name: "greeting",
    everyMs: 300_000,
    report: () => Promise.reject(new Error("nobody is there")),
    takeBack: () => Promise.resolve(void takenBack++),
  });
  await sim.run(10_000);
  await sim.run(async () => await report[Symbol.asyncDispose]());
  assert.equal(takenBack, 0);
});
