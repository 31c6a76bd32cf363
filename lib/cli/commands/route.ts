/** `skywire route find|rules`: paths through the network, and the rules this visor holds. */

import type { Command } from "commander";
import type { RuleSummary } from "../../routing/mod.ts";
import type { FoundRoute } from "../../visor/mod.ts";
import { shortKey } from "../../types/mod.ts";
import { type CommonOptions, keyArgument, makeCommand, makeGroup, printResult, wholeNumber } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { formatTable } from "../table.ts";

interface FindOptions extends CommonOptions {
  readonly count: number;
  readonly minHops: number;
  readonly maxHops: number;
}

/** The command. */
export function routeCommand(host: CliHost): Command {
  const find = makeCommand("find", {
    description: "Ask the route finder for paths to a visor; nothing is set up.",
    examples: ["skywire route find 02c6047f…", "skywire route find 02c6047f… --min-hops 2 --json"],
  })
    .argument("<pk>", "the visor's public key", keyArgument)
    .option("--count <n>", "how many at most", wholeNumber({ min: 1, max: 3 }), 3)
    .option("--min-hops <n>", "not shorter than", wholeNumber({ min: 1, max: 50 }), 1)
    .option("--max-hops <n>", "not longer than", wholeNumber({ min: 1, max: 50 }), 50)
    .action(async (remote: string, options: FindOptions) => {
      const visor = await connectToVisor(options, host);
      const { count, minHops, maxHops } = options;
      const found = await visor.post<{ routes: FoundRoute[] }>("/v1/routes/find", { remote, count, minHops, maxHops });
      printResult(found, { options, host, describe: ({ routes }) => describeRoutes(routes, host) });
    });

  const rules = makeCommand("rules", {
    description: "List the routing rules that setup nodes installed on this visor.",
    examples: ["skywire route rules", "skywire route rules --json"],
  }).action(async (options: CommonOptions) => {
    const visor = await connectToVisor(options, host);
    const held = await visor.get<{ rules: RuleSummary[] }>("/v1/rules");
    printResult(held, { options, host, describe: (value) => describeRules(value.rules, host) });
  });

  return makeGroup("route", {
    description: "Find paths; show the rules of this visor.",
    examples: ["skywire route find 02c6047f…", "skywire route rules"],
    commands: [find, rules],
  });
}

function describeRoutes(routes: readonly FoundRoute[], host: CliHost): string {
  return formatTable(["HOPS", "VISORS"], {
    rows: routes.map((route) => [String(route.hops), route.visors.map(shortKey).join(" → ")]),
    nothing: "no route",
    colours: host.isTerminal,
  });
}

function describeRules(rules: readonly RuleSummary[], host: CliHost): string {
  return formatTable(["ROUTE", "TYPE", "NEXT", "OVER", "IDLE", "REMOTE"], {
    rows: rules.map((rule) => [
      String(rule.routeId),
      rule.type,
      rule.nextRouteId === undefined ? "–" : String(rule.nextRouteId),
      rule.transport?.slice(0, 8) ?? "–",
      `${(rule.idleMs / 1000).toFixed(1)} s`,
      rule.remote === undefined ? "–" : `${shortKey(rule.remote)}:${rule.remotePort}`,
    ]),
    nothing: "no rules: no route goes over this visor now",
    colours: host.isTerminal,
  });
}
