/** Starting, stopping and restarting apps, on virtual time. */

import assert from "node:assert/strict";
import { type App, type AppContext, createLauncher, type Launcher } from "../../lib/apps/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { simulationTest } from "../fakes/mod.ts";

/** An app whose runs the test decides: `fail` ends the present one with an error, `end` without. */
class PuppetApp implements App {
  readonly name: string;
  readonly port = 77;
  runs = 0;
  isReadyAtOnce = true;
  fail: (error: Error) => void = () => {};
  end: () => void = () => {};

  constructor(name = "puppet") {
    this.name = name;
  }

  run({ signal, ready }: AppContext): Promise<void> {
    this.runs++;
    if (this.isReadyAtOnce) ready();
    return new Promise((resolve, reject) => {
      this.fail = reject;
      this.end = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

const stateOf = (launcher: Launcher): string => launcher.list().map(({ state }) => state).join();

simulationTest("an app is started and stopped by name, and the list tells since when", async (sim) => {
  const app = new PuppetApp();
  await using launcher = createLauncher({ runtime: sim.runtimeFor("a") });
  launcher.add(app);
  assert.equal(stateOf(launcher), "stopped");
  await sim.run(1_000);
  await sim.run(launcher.start("puppet"));
  await sim.run(launcher.start("puppet"));
  const [summary] = launcher.list();
  assert.deepEqual(summary, {
    name: "puppet",
    port: 77,
    state: "running",
    since: sim.runtimeFor("a").clock.wallMs(),
    restarts: 0,
  });
  assert.equal(app.runs, 1);
  await sim.run(launcher.stop("puppet"));
  await sim.run(launcher.stop("puppet"));
  assert.equal(stateOf(launcher), "stopped");
  await sim.run(launcher.start("puppet"));
  assert.equal(app.runs, 2);
});

simulationTest("an app that fails is run again, later each time, and at once after it has worked", async (sim) => {
  const app = new PuppetApp();
  app.isReadyAtOnce = false;
  await using launcher = createLauncher({ runtime: sim.runtimeFor("a") });
  launcher.add(app);
  const started = launcher.start("puppet");
  assert.equal(stateOf(launcher), "starting");
  app.fail(new Error("no luck"));
  await assert.rejects(sim.run(started), /no luck/);
  assert.equal(stateOf(launcher), "failed");
  const gaps: number[] = [];
  for (let runs = 1; runs < 10; runs++) {
    const began = sim.nowMs;
    while (app.runs === runs) await sim.run(10);
    gaps.push(sim.nowMs - began);
    app.fail(new Error("no luck"));
    await sim.run(0);
  }
  assert.ok((gaps[0] ?? 0) <= 510 && (gaps[8] ?? 0) > 10_000 && gaps.every((gap) => gap <= 30_010), gaps.join());
  app.isReadyAtOnce = true;
  await sim.run(31_000);
  assert.equal(stateOf(launcher), "running");
  assert.equal(launcher.list()[0]?.restarts, 10);
  const { runs } = app;
  app.fail(new Error("once"));
  await sim.run(510);
  assert.equal(app.runs, runs + 1);
});

simulationTest("an app that ends by itself is stopped, and one that is stopped early never was", async (sim) => {
  const app = new PuppetApp();
  const slow = new PuppetApp("slow");
  slow.isReadyAtOnce = false;
  await using launcher = createLauncher({ runtime: sim.runtimeFor("a") });
  launcher.add(app);
  launcher.add(slow);
  await sim.run(launcher.start("puppet"));
  app.end();
  await sim.run(0);
  assert.equal(launcher.list()[0]?.state, "stopped");
  const starting = launcher.start("slow");
  const stopped = assert.rejects(starting, (error) => hasCode(error, "app/stopped"));
  await sim.run(launcher.stop("slow"));
  await stopped;
});

simulationTest("names are unique and must be known", async (sim) => {
  await using launcher = createLauncher({ runtime: sim.runtimeFor("a") });
  launcher.add(new PuppetApp());
  assert.throws(() => launcher.add(new PuppetApp()), (error) => hasCode(error, "app/name-taken"));
  for (const call of [launcher.start("x"), launcher.stop("x"), launcher.remove("x")]) {
    await assert.rejects(call, (error) => hasCode(error, "app/unknown"));
  }
  await launcher.remove("puppet");
  assert.deepEqual(launcher.list(), []);
});
