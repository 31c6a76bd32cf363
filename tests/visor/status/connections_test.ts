import assert from "node:assert/strict";
import { createVisor, type StatusCheck, type Visor } from "../../../lib/visor/mod.ts";
import { simulationTest } from "../../fakes/mod.ts";

async function connectionsOf(visor: Visor): Promise<Pick<StatusCheck, "state" | "detail"> | undefined> {
  const { checks } = await visor.status();
  const check = checks.find(({ name }) => name === "connections");
  return check && { state: check.state, detail: check.detail };
}

simulationTest(
  "the status shows connections, those that wait for a route, and none that are closed",
  async (network) => {
    const a = await network.run(createVisor({ network, data: "a" }));
    const b = await network.run(createVisor({ network, data: "b", join: a.ticket }));
    const listener = a.listen(2_000);
    assert.equal(await network.run(() => connectionsOf(b)), undefined);
    const connection = await network.run(() => b.dial(a.publicKey, 2_000));
    assert.deepEqual(await network.run(() => connectionsOf(b)), { state: "ok", detail: "1 open" });
    network.partition("a", "b");
    await network.run(15_000);
    const waiting = await network.run(() => connectionsOf(b), 60_000);
    assert.equal(waiting?.state, "degraded");
    assert.match(waiting?.detail ?? "", /^1 of 1 without a route that works, to /);
    network.heal("a", "b");
    await network.run(20_000);
    assert.deepEqual(await network.run(() => connectionsOf(b)), { state: "ok", detail: "1 open" });
    connection.close();
    await network.run(2_000);
    assert.equal(await network.run(() => connectionsOf(b)), undefined);
    listener.close();
    for (const visor of [b, a]) await network.run(async () => await visor[Symbol.asyncDispose]());
  },
);
