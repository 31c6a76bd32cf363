/**
 * The simulation, as tests use it.
 *
 * @module
 */

import { createSimulation, type Simulation } from "../../lib/simulation/mod.ts";

export * from "../../lib/simulation/mod.ts";

/**
 * Defines a test that runs in a simulation. `SIM_SEED` in the environment picks another seed. When the test fails, the
 * seed and the last log lines are printed.
 */
export function simulationTest(name: string, test: (sim: Simulation) => Promise<void>): void {
  Deno.test(name, async () => {
    const sim = createSimulation({ seed: Number(Deno.env.get("SIM_SEED") ?? 1) });
    try {
      await test(sim);
    } catch (error) {
      // deno-lint-ignore no-console -- a failing run must say how to repeat it
      console.error(`SIM_SEED=${sim.seed}, at ${sim.nowMs} ms\n${sim.logLines.slice(-40).join("\n")}`);
      throw error;
    }
  });
}
