/** Two visors in memory, and commands beside the first: what the tests of commands share. */

import assert from "node:assert/strict";
import type { CliHost } from "../../../lib/cli/host.ts";
import { runProgram } from "../../../lib/cli/command.ts";
import { createProgram } from "../../../lib/cli/program.ts";
import { createVisor, type Visor } from "../../../mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { listeningHost } from "../listening_host.ts";

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** See {@link commandTest}. */
export interface TwoVisors {
  readonly sim: Simulation;
  /** On host `a`, whose data folder commands take. */
  readonly a: Visor;
  /** On host `b`, in the network of the first. */
  readonly b: Visor;
  /** Runs a command as a person sees it. */
  readonly run: (...args: string[]) => Promise<Ran>;
  /** Runs a command that works, with `--json`. @returns its document */
  // deno-lint-ignore no-explicit-any -- the tests say what it holds
  readonly json: (...args: string[]) => Promise<any>;
}

/** Defines a test with two visors. */
export function commandTest(name: string, test: (world: TwoVisors) => Promise<void>): void {
  simulationTest(name, async (sim) => {
    const a = await sim.run(createVisor({ network: sim, data: "a" }));
    const b = await sim.run(createVisor({ network: sim, data: "b", join: a.ticket }));
    const run = async (...args: string[]): Promise<Ran> => {
      const { host: silent, out, err } = listeningHost();
      const host: CliHost = {
        ...silent,
        defaultDataFolder: "a",
        showProgress: () => {},
        createRuntime: () => ({ ...sim.runtimeFor("a"), [Symbol.dispose]: () => {} }),
        write: (bytes) => Promise.resolve(void out.push(new TextDecoder().decode(bytes))),
        readFile: async (path) => {
          const [folder = "", file = ""] = path.split("/");
          const content = await sim.storageFor(folder).read(file);
          assert.ok(content !== undefined, `there is no ${path}`);
          return new TextDecoder().decode(content);
        },
      };
      const code = await sim.run(async () => await runProgram(await createProgram(host, args), { args, host }));
      return { code, out: out.join("\n"), err: err.join("\n") };
    };
    const json: TwoVisors["json"] = async (...args) => {
      const { code, out, err } = await run(...args, "--json");
      assert.equal(code, 0, `${args.join(" ")}: ${out}${err}`);
      return JSON.parse(out);
    };
    await test({ sim, a, b, run, json });
    for (const visor of [b, a]) await sim.run(async () => await visor[Symbol.asyncDispose]());
  });
}
