/** Capabilities put together: whole visors on virtual time. */

import assert from "node:assert/strict";
import * as capabilities from "../../lib/visor/capabilities.ts";
import { startVisor } from "../../lib/visor/mod.ts";
import { simulationTest } from "../fakes/mod.ts";

simulationTest("Visor shows each capability of the list under its name, and nothing of its parts", async (sim) => {
  const visor = await sim.run(
    startVisor({ runtime: sim.runtimeFor("a"), storage: sim.storageFor("a"), host: "a" }),
  );
  const own = ["publicKey", "ticket", "api", "listeners", "dial", "listen"];
  assert.deepEqual(Object.keys(visor).sort(), [...own, ...Object.keys(capabilities)].sort());
  const facets = Object.fromEntries(
    Object.entries(visor).filter(([name]) => name in capabilities && typeof (visor as never)[name] === "object")
      .map(([name, facet]) => [name, Object.keys(facet)]),
  );
  assert.deepEqual(facets, {
    apps: ["list", "start", "stop"],
    http: ["fetch"],
    names: ["list", "keyOf", "set", "remove"],
    proxies: ["list", "add", "remove"],
    routes: ["find", "explain", "rules", "ping", "bench"],
    transports: ["list", "network", "add", "remove"],
  });
  await sim.run(async () => await visor[Symbol.asyncDispose]());
});

simulationTest("a visor whose kept files are damaged says which, and leaves nothing running", async (sim) => {
  const storage = sim.storageFor("a");
  for (const name of ["transports.json", "proxies.json", "names.json", "config.json"]) {
    await storage.write(name, new TextEncoder().encode("{"));
    const starting = startVisor({ runtime: sim.runtimeFor("a"), storage, host: "a" });
    await assert.rejects(sim.run(starting), (error: Error) => error.message.includes(`Read ${name}: `), name);
    assert.equal(await storage.read("control.json"), undefined);
    await storage.remove(name);
  }
  await sim.run(10_000);
  const visor = await sim.run(startVisor({ runtime: sim.runtimeFor("a"), storage, host: "a" }));
  await sim.run(async () => await visor[Symbol.asyncDispose]());
});
