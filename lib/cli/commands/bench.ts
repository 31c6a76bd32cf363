/** `skywire bench PK`: measures the throughput of a route, both ways. */

import { type Command, InvalidArgumentError } from "commander";
import type { BenchResult } from "../../apps/mod.ts";
import { formatFigure } from "../../runtime/mod.ts";
import { shortKey } from "../../types/mod.ts";
import { BENCH } from "../../visor/routes/api.ts";
import { type CommonOptions, keyArgument, makeCommand, pathArgument, printResult } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { routeConstraintsOf, type RouteOptions, withRouteOptions } from "../route_options.ts";

interface BenchCommandOptions extends CommonOptions, RouteOptions {
  readonly seconds: number;
  readonly path?: string[];
}

/** The command. */
export function benchCommand(host: CliHost): Command {
  return withRouteOptions(makeCommand("bench", {
    description: "Measure the throughput to a visor, both ways, and the round trip meanwhile.",
    examples: [
      "skywire bench 02c6047f",
      "skywire bench 02c6047f --seconds 10 --json",
      "skywire bench PK3 --path PK1,PK2,PK3",
      "skywire bench 02c6047f --metric throughput",
    ],
  }))
    .argument("<pk>", "the visor's public key, its first 8 digits or more, or its name", keyArgument)
    .option("--seconds <n>", "how long in each direction, 0.1–60", seconds, 3)
    .option("--path <pk,…>", "the visors or transports to go over, the last one to the destination", pathArgument)
    .action(async (remote: string, options: BenchCommandOptions) => {
      const visor = await connectToVisor(options, host);
      const body = { ...routeConstraintsOf(options), remote, seconds: options.seconds, path: options.path };
      const result = await visor.ask(BENCH, { body, expectedMs: 2 * options.seconds * 1_000 });
      printResult(result, { options, host, describe });
    });
}

function describe(result: BenchResult): string {
  const { megabytesPerSecond: rate, rttMs } = result;
  return [
    `${result.to}`,
    `over ${result.hops} hop${result.hops === 1 ? "" : "s"}: ${result.visors.map(shortKey).join(" → ")}`,
    `up    ${formatFigure(rate.up)} MB/s`,
    `down  ${formatFigure(rate.down)} MB/s`,
    `round trip meanwhile: median ${formatFigure(rttMs.p50)} ms, 99 % within ${formatFigure(rttMs.p99)} ms`,
  ].join("\n");
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 60)) throw new InvalidArgumentError("Wanted seconds from 0.1 to 60.");
  return value;
}
