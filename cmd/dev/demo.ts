/**
 * Starts a whole network on loopback, in processes of their own, and downloads a file with curl over a route of
 * several hops: what the README's first command runs.
 *
 *     deno task demo [--json] [--keep] [--bytes N] [--hops 1..5]
 */

import { Command } from "commander";
import { runProgram, wholeNumber } from "../../lib/cli/command.ts";
import type { CliHost } from "../../lib/cli/host.ts";
import { createHost } from "../host.ts";
import { type DemoOptions, runDemo } from "./demo/run.ts";

function demoCommand(host: CliHost): Command {
  return new Command("demo")
    .description("Run a whole network on loopback and download a file over a route of several hops.")
    .option("--json", "print one JSON document instead of the table")
    .option("--keep", "keep the network up afterwards, until Ctrl-C")
    .option("--bytes <n>", "size of the file", wholeNumber({ min: 1, max: 10_000_000_000 }), 200_000_000)
    .option("--hops <n>", "length of the route, 1–5", wholeNumber({ min: 1, max: 5 }), 3)
    .addHelpText(
      "after",
      "\nExamples:\n  deno task demo\n  deno task demo --hops 5 --bytes 50000000\n  deno task demo --keep",
    )
    .action((options: DemoOptions) => runDemo(options, host));
}

const host = createHost();
Deno.exit(await host.finish(await runProgram(demoCommand(host), { args: Deno.args, host })));
