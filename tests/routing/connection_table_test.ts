/** Groups and connections of one visor, over real switches in a line. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { createRouteListener } from "../../lib/routing/route_listener.ts";
import { simulationTest } from "../fakes/mod.ts";
import { makeLine } from "./line.ts";
import { at } from "../../lib/types/at.ts";

simulationTest(
  "ConnectionTable.adopt() closes an older connection between the same ports, and it alone",
  async (sim) => {
    await using line = await makeLine(sim, 2);
    const [a, b] = await line.connect();
    const [other] = await line.connect({ local: 49_154 });
    const [again, answer] = await line.connect();
    assert.equal((await sim.run(b.closed)).reason, "local");
    assert.equal((await sim.run(a.closed)).reason, "local");
    for (const connection of [again, answer, other]) assert.ok(await sim.run(connection.ping()) > 0);
  },
);

simulationTest("ConnectionTable.abandon() takes the rules of the whole route along", async (sim) => {
  await using line = await makeLine(sim, 2);
  const ends = line.install();
  const [initiator, responder] = [ends.initiator(), ends.responder()];
  await sim.run(at(line.nodes, 0).table.abandon(initiator));
  await sim.run(responder.group.ended());
  assert.equal(responder.group.end?.reason, "remote");
  await sim.run(at(line.nodes, 2).table.abandon(responder));
  for (const { loop, runtime } of line.nodes) assert.deepEqual(loop.switch.rules(runtime.clock.monotonic()), []);
});

simulationTest("ConnectionTable.open() deletes rules of which no group can be made", async (sim) => {
  await using line = await makeLine(sim, 1);
  const { initiator } = line.install();
  initiator();
  assert.throws(initiator, (error) => hasCode(error, "switch/no-rules"));
  const { loop, runtime } = at(line.nodes, 0);
  assert.deepEqual(loop.switch.rules(runtime.clock.monotonic()), []);
});

simulationTest("ConnectionTable.closeAll() is done in half a second though nobody answers", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [a] = await line.connect();
  sim.partition("n0", "n1");
  const begin = sim.nowMs;
  await sim.run(at(line.nodes, 0).table.closeAll());
  assert.equal(sim.nowMs - begin, 500);
  assert.equal((await sim.run(a.closed)).reason, "local");
});

simulationTest("RouteListener refuses what nobody takes, and closes it when it is closed itself", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [, accepted] = await line.connect();
  let closed = 0;
  const listener = createRouteListener(3, () => closed++);
  for (let i = 0; i < 128; i++) assert.ok(listener.offer(accepted));
  assert.ok(!listener.offer(accepted));
  listener.close();
  assert.equal((await sim.run(accepted.closed)).reason, "local");
  assert.equal(closed, 1);
  for await (const _ of listener) assert.fail("closed");
});
