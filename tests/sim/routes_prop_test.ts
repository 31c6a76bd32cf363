/** Whatever a network looks like: a route goes where it was asked to go, carries data, and leaves nothing behind. */

import assert from "node:assert/strict";
import { at } from "../../lib/types/at.ts";
import fc from "fast-check";
import { topology } from "../arbitraries/topology.ts";
import { createSimulation } from "../fakes/mod.ts";
import { connect, readBytes } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";
import { assertRulesLead } from "./rules.ts";

Deno.test("A route goes over exactly the path asked for, in any network, and leaves no rule when closed", async () => {
  await fc.assert(
    fc.asyncProperty(topology(5), fc.nat(), async ({ visors: count, edges, path }, seed) => {
      const sim = createSimulation({ seed });
      await using network = await SimNetwork.create(sim);
      const visors: readonly SimVisor[] = await network.visors(...Array.from({ length: count }, (_, i) => `v${i}`));
      for (const [a, b] of edges) await network.join(at(visors, a), at(visors, b));
      const along = path.map((i) => at(visors, i));
      const [from, to] = [at(along, 0), at(along, -1)];
      const [dialled, accepted] = await sim.run(
        connect(from, to, { path: along.slice(1).map((visor) => visor.key) }),
      );
      assert.deepEqual(dialled.route.map((hop) => hop.to), along.slice(1).map((visor) => visor.key));
      assertRulesLead(dialled, along);
      await sim.run(Promise.all([dialled.write(new Uint8Array(9_000)), readBytes(accepted, 9_000)]));
      dialled.close();
      await sim.run(accepted.closed);
      accepted.close();
      await sim.run(3_000);
      for (const { router } of visors) assert.deepEqual(router.rules(), []);
    }),
    { numRuns: 15 },
  );
});
