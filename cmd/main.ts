/** Runs the command line; shared by all entry points. */

import { createProgram } from "../lib/cli/program.ts";
import { runProgram } from "../lib/cli/command.ts";
import { createHost } from "./host.ts";

/**
 * Runs one command.
 * @param args what follows the program's name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const host = createHost();
  return await host.finish(await runProgram(await createProgram(host, args), { args, host }));
}
