/** A setup node that says it is asked too much, and visors that come again when it said so. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { formatTooManyRequests, parseComeBack } from "../../lib/wire/setup_refusal.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { PORT } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";

/** Two visors side by side, whose only setup node takes so many requests a minute of each. */
async function busyNetwork(sim: Simulation, requestsPerMinute: number): Promise<[SimNetwork, SimVisor, SimVisor]> {
  const network = await SimNetwork.create(sim);
  const setupNodes = [await network.addSetupNode("busy", { limits: { requestsPerMinute } })];
  const a = await network.visor("a", { setupNodes });
  const b = await network.visor("b", { setupNodes });
  await network.join(a, b);
  return [network, a, b];
}

simulationTest("Dials beyond what a setup node takes wait as long as it says, and all of them succeed", async (sim) => {
  const [network, a, b] = await busyNetwork(sim, 60);
  await using _ = network;
  const listener = b.router.listen(PORT);
  const accepting = (async (): Promise<void> => {
    for await (const connection of listener) connection.close();
  })();
  const startedMs = sim.nowMs;
  const order: number[] = [];
  const dials = Array.from({ length: 75 }, async (_, i) => {
    (await a.router.dial(b.key, PORT)).close();
    order.push(i);
  });
  await sim.run(Promise.all(dials), 60_000);
  const seconds = (sim.nowMs - startedMs) / 1000;
  assert.ok(seconds >= 14 && seconds < 20, `60 at once and 15 more at one a second took ${seconds} s`);
  const most = Math.max(...order.map((i, place) => Math.abs(i - place)));
  assert.ok(most < 4, `nobody is overtaken by more than those that are asked for at once: ${order}`);
  const refused = sim.logLines.filter((line) => line.startsWith("busy: ") && line.includes("come back in"));
  assert.ok(refused.length <= 4 * 16, `${refused.length} requests were refused in ${seconds} s`);
  listener.close();
  await sim.run(accepting);
});

simulationTest("A dial gives up waiting for a setup node when its signal says so", async (sim) => {
  const [network, a, b] = await busyNetwork(sim, 1);
  await using _ = network;
  b.router.listen(PORT);
  (await sim.run(a.router.dial(b.key, PORT))).close();
  await assert.rejects(
    sim.run(a.router.dial(b.key, PORT)),
    (error) => hasCode(error, "route/setup-failed"),
    "a minute is too long to wait for",
  );
});

simulationTest("A dial that waits for a setup node ends with its signal", async (sim) => {
  const [network, a, b] = await busyNetwork(sim, 6);
  await using _ = network;
  b.router.listen(PORT);
  for (let i = 0; i < 6; i++) (await sim.run(a.router.dial(b.key, PORT))).close();
  const stop = new AbortController();
  const waiting = a.router.dial(b.key, PORT, { signal: stop.signal });
  waiting.catch(() => {});
  await sim.run(1_000);
  stop.abort(new Error("enough"));
  await sim.run(assert.rejects(waiting, /enough/), 1);
});

simulationTest("While one setup node says that it was asked too much, another one is asked", async (sim) => {
  const network = await SimNetwork.create(sim);
  await using _ = network;
  const busy = await network.addSetupNode("busy", { limits: { requestsPerMinute: 6 } });
  const spare = await network.addSetupNode("spare");
  const a = await network.visor("a", { setupNodes: [busy, spare] });
  const b = await network.visor("b", { setupNodes: [busy, spare] });
  await network.join(a, b);
  b.router.listen(PORT);
  const startedMs = sim.nowMs;
  for (let i = 0; i < 12; i++) (await sim.run(a.router.dial(b.key, PORT))).close();
  assert.ok(sim.nowMs - startedMs < 6_000, `12 dials took ${sim.nowMs - startedMs} ms`);
});

Deno.test("the words of a refusal say when to come again, and other words do not", () => {
  assert.equal(parseComeBack(formatTooManyRequests("02ab…", 17)), 17);
  for (
    const words of ["", "come back in 5 s", "too many route requests from x: come back in -1 s", "failure code 1 (x)"]
  ) {
    assert.equal(parseComeBack(words), undefined);
  }
});
