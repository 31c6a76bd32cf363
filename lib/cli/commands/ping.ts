/** `skywire ping PK`: sets up a route and measures the round trip over it. */

import type { Command } from "commander";
import type { PingResult } from "../../routing/mod.ts";
import { formatFigure } from "../../runtime/mod.ts";
import { shortKey } from "../../types/mod.ts";
import { PING } from "../../visor/routes/api.ts";
import { type CommonOptions, keyArgument, makeCommand, pathArgument, printResult, wholeNumber } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { routeConstraintsOf, type RouteOptions, withRouteOptions } from "../route_options.ts";

interface PingOptions extends CommonOptions, RouteOptions {
  readonly count: number;
  readonly path?: string[];
}

/** The command. */
export function pingCommand(host: CliHost): Command {
  return withRouteOptions(makeCommand("ping", {
    description: "Measure the round trip to a visor over a route set up for it.",
    examples: [
      "skywire ping 02c6047f",
      "skywire ping 02c6047f --count 10 --json",
      "skywire ping PK3 --path PK1,PK2,PK3",
      "skywire ping 02c6047f --metric latency --avoid 03a1b2c3",
    ],
  }))
    .argument("<pk>", "the visor's public key, its first 8 digits or more, or its name", keyArgument)
    .option("--count <n>", "how many times", wholeNumber({ min: 1, max: 1000 }), 4)
    .option("--path <pk,…>", "the visors or transports to go over, the last one to the destination", pathArgument)
    .action(async (remote: string, options: PingOptions) => {
      const visor = await connectToVisor(options, host);
      const result = await visor.ask(PING, {
        body: { ...routeConstraintsOf(options), remote, count: options.count, path: options.path },
      });
      printResult(result, { options, host, describe });
    });
}

function describe(result: PingResult): string {
  const sorted = result.rttMs.toSorted((a, b) => a - b);
  const shown = (rtt: number | undefined): string => `${formatFigure(rtt ?? NaN)} ms`;
  return [
    `${result.to}`,
    `over ${result.hops} hop${result.hops === 1 ? "" : "s"}: ${result.visors.map(shortKey).join(" → ")}`,
    ...result.rttMs.map((rtt, i) => `  ${String(i + 1).padStart(3)}  ${shown(rtt)}`),
    `min ${shown(sorted[0])}, median ${shown(sorted[sorted.length >> 1])}, max ${shown(sorted.at(-1))}`,
  ].join("\n");
}
