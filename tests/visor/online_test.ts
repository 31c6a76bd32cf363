import assert from "node:assert/strict";
import { createVisor } from "../../mod.ts";
import { generateSecretKey, publicKeyOf } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { simulationTest } from "../fakes/mod.ts";

simulationTest("a visor whose network is away says within 2 s that it is offline", async (sim) => {
  const a = await sim.run(createVisor({ network: sim, data: "a" }));
  const b = await sim.run(createVisor({ network: sim, data: "b", join: a.ticket }));
  await sim.run(b.routes.ping(a.publicKey));
  await sim.run(async () => await a[Symbol.asyncDispose]());
  using stranger = generateSecretKey(sim.runtimeFor("b").random);
  for (
    const ask of [
      () => b.routes.ping(a.publicKey),
      () => b.routes.ping(publicKeyOf(stranger)),
      () => b.routes.bench(a.publicKey),
      () => b.http.fetch(new Request(`http://${a.publicKey}.sky/health`)),
    ]
  ) {
    const began = sim.nowMs;
    await assert.rejects(sim.run<unknown>(ask()), (error) => hasCode(error, "visor/offline"));
    assert.ok(sim.nowMs - began <= 2_000);
  }
  await sim.run(async () => await b[Symbol.asyncDispose]());
});

simulationTest("a visor that is online says at once that nobody knows a key", async (sim) => {
  const a = await sim.run(createVisor({ network: sim, data: "a" }));
  using stranger = generateSecretKey(sim.runtimeFor("a").random);
  const began = sim.nowMs;
  await assert.rejects(sim.run(a.routes.ping(publicKeyOf(stranger))), (error) => hasCode(error, "route/not-found"));
  assert.ok(sim.nowMs - began <= 2_000);
  await sim.run(async () => await a[Symbol.asyncDispose]());
});
