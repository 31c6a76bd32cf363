/** The stcpr driver conforms, and finds whom it dials by key. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { type AddressSource, createStcprDriver } from "../../../lib/transport/drivers/stcpr.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { KEY_B, KEY_C } from "./keys.ts";
import { testInSimulation } from "./run_conformance.ts";

testInSimulation("stcpr driver in a simulation", createStcprDriver);

simulationTest("the stcpr driver tries the addresses that the resolver gives, in order", async (sim) => {
  const asked: string[] = [];
  const resolver: AddressSource = {
    resolve: (key) => {
      asked.push(key);
      return Promise.resolve(key === KEY_B ? ["b:1", "b:7"] : undefined);
    },
  };
  const listener = await createStcprDriver(sim.runtimeFor("b")).listen("b:7");
  const driver = createStcprDriver({ ...sim.runtimeFor("a"), resolver });
  const link = await sim.run(driver.dial("", { remoteKey: KEY_B }));
  assert.equal(link.remoteAddress, "b:7");
  link.close();
  listener.close();
  await assert.rejects(sim.run(driver.dial("", { remoteKey: KEY_B })), (e) => hasCode(e, "network/dial-failed"));
  await assert.rejects(sim.run(driver.dial("", { remoteKey: KEY_C })), (e) => hasCode(e, "transport/not-public"));
  assert.deepEqual(asked, [KEY_B, KEY_B, KEY_C]);
});

simulationTest("the stcpr driver needs an address where there is no resolver", async (sim) => {
  const driver = createStcprDriver(sim.runtimeFor("a"));
  await assert.rejects(driver.dial("", { remoteKey: KEY_B }), (e) => hasCode(e, "transport/no-resolver"));
});

simulationTest("an address that is silent does not keep the stcpr driver from the next one", async (sim) => {
  const resolver: AddressSource = { resolve: () => Promise.resolve(["c:7", "b:7"]) };
  const listener = await createStcprDriver(sim.runtimeFor("b")).listen("b:7");
  const silent = await createStcprDriver(sim.runtimeFor("c")).listen("c:7");
  sim.partition("a", "c");
  const began = sim.nowMs;
  const link = await sim.run(createStcprDriver({ ...sim.runtimeFor("a"), resolver }).dial("", { remoteKey: KEY_B }));
  assert.equal(link.remoteAddress, "b:7");
  assert.ok(sim.nowMs - began < 400, `${sim.nowMs - began} ms`);
  link.close();
  for (const one of [listener, silent]) one.close();
});
