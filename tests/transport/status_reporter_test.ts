/** Discovery learns of changes at once and of everything about once a minute, whatever it answers. */

import assert from "node:assert/strict";
import { UnavailableError } from "../../lib/errors/mod.ts";
import { transportMetrics } from "../../lib/transport/metrics.ts";
import { StatusReporter } from "../../lib/transport/status_reporter.ts";
import { type TransportId, transportIdOf } from "../../lib/types/mod.ts";
import { type EdgeStatus, MAX_STATUSES } from "../../lib/wire/transport_status.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { at } from "../../lib/types/at.ts";

function idOf(number: number): TransportId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number);
  return transportIdOf(bytes);
}

/** A discovery that answers as told, and what a visor has to tell. */
class World implements AsyncDisposable {
  readonly sim: Simulation;
  /** What was reported, and when. */
  readonly reports: { readonly at: number; readonly statuses: readonly EdgeStatus[] }[] = [];
  readonly statuses = new Map<TransportId, EdgeStatus>();
  readonly told: TransportId[] = [];
  answer: () => Promise<readonly TransportId[] | undefined> = () => Promise.resolve([]);
  readonly reporter: StatusReporter;

  constructor(sim: Simulation) {
    this.sim = sim;
    const runtime = sim.runtimeFor("a");
    this.reporter = new StatusReporter({
      runtime,
      report: (statuses) => {
        this.reports.push({ at: sim.nowMs, statuses });
        return this.answer();
      },
      statuses: () => [...this.statuses.values()],
      sample: () => {},
      onUnlisted: (ids) => this.told.push(...ids),
      metrics: transportMetrics(runtime.metrics),
    });
  }

  set(number: number, isWorking: boolean): void {
    const id = idOf(number);
    this.statuses.set(id, { id, isWorking, lastsMs: 0 });
    this.reporter.changed(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sim.run(this.reporter[Symbol.asyncDispose]());
    assert.equal(this.sim.pendingTimers, 0);
  }
}

simulationTest("changes are told within half a second, those of a moment together", async (sim) => {
  await using world = new World(sim);
  world.set(1, true);
  world.set(2, true);
  await sim.run(200);
  world.set(3, false);
  await sim.run(300);
  assert.deepEqual(world.reports.map(({ statuses }) => statuses.length), [3]);
  world.set(2, false);
  await sim.run(500);
  assert.deepEqual(world.reports[1]?.statuses, [{ id: idOf(2), isWorking: false, lastsMs: 0 }]);
  assert.equal(world.reporter.isTaken, true);
});

simulationTest("everything is told again every 30 to 60 seconds; without transports nothing is said", async (sim) => {
  await using world = new World(sim);
  await sim.run(600_000);
  assert.equal(world.reports.length, 0);
  world.set(1, true);
  world.set(2, false);
  await sim.run(600_000);
  const times = world.reports.map(({ at }) => at).slice(1);
  assert.ok(world.reports.every(({ statuses }) => statuses.length === 2));
  assert.ok(times.length >= 10 && times.length <= 20);
  const pauses = times.slice(1).map((ms, i) => ms - at(times, i));
  assert.ok(pauses.every((ms) => ms >= 29_000 && ms <= 61_000), pauses.join());
  assert.ok(Math.max(...pauses) - Math.min(...pauses) > 5_000, "visors do not report in step");
});

simulationTest("a flapping transport costs four requests a second at most", async (sim) => {
  await using world = new World(sim);
  for (let i = 0; i < 1_000; i++) {
    world.set(1, i % 2 === 0);
    await sim.run(10);
  }
  assert.ok(world.reports.length <= 41, `${world.reports.length} reports in 10 s`);
});

simulationTest("many transports go in several requests", async (sim) => {
  await using world = new World(sim);
  for (let i = 0; i < 2 * MAX_STATUSES + 1; i++) world.set(i, true);
  await sim.run(500);
  assert.deepEqual(world.reports.map(({ statuses }) => statuses.length), [MAX_STATUSES, MAX_STATUSES, 1]);
});

simulationTest("what could not be told is told when discovery is back, as it is then", async (sim) => {
  await using world = new World(sim);
  world.answer = () => Promise.reject(new UnavailableError("http/unreachable", "No answer"));
  world.set(1, true);
  await sim.run(20_000);
  world.set(1, false);
  await sim.run(100_000);
  const tries = world.reports.length;
  assert.ok(tries >= 6 && tries <= 14, `${tries} tries in two minutes`);
  world.answer = () => Promise.resolve([]);
  await sim.run(31_000);
  assert.deepEqual(world.reports[tries]?.statuses, [{ id: idOf(1), isWorking: false, lastsMs: 0 }]);
});

simulationTest("a discovery that never answers is given up after 15 s, and disposing waits for nobody", async (sim) => {
  await using world = new World(sim);
  world.answer = () => new Promise(() => {});
  world.set(1, true);
  await sim.run(20_000);
  assert.equal(world.reports.length, 2);
});

simulationTest(
  "a working transport that nobody listed yet is told again soon; one that is down is not",
  async (sim) => {
    await using world = new World(sim);
    world.answer = () => Promise.resolve([idOf(1), idOf(2)]);
    world.set(1, true);
    world.set(2, false);
    await sim.run(10_000);
    assert.deepEqual(world.reports.map(({ statuses }) => statuses.length).slice(0, 3), [2, 1, 1]);
    world.answer = () => Promise.resolve([]);
    const before = world.reports.length;
    await sim.run(10_000);
    assert.equal(world.reports.length, before + 1);
    assert.deepEqual(world.told.slice(0, 2), [idOf(1), idOf(2)]);
  },
);

simulationTest("a discovery of v1.3 is asked once, and again after an hour", async (sim) => {
  await using world = new World(sim);
  world.answer = () => Promise.resolve(undefined);
  world.set(1, true);
  for (let minute = 0; minute < 59; minute++) {
    world.set(1, minute % 2 === 0);
    await sim.run(60_000);
  }
  assert.equal(world.reports.length, 1);
  assert.equal(world.reporter.isTaken, false);
  world.answer = () => Promise.resolve([]);
  await sim.run(120_000);
  assert.equal(world.reporter.isTaken, true);
});
