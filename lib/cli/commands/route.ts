/** `skywire route find|explain|rules`: paths through the network, why one is chosen, and the rules this visor holds. */

import { type Command, Option } from "commander";
import type { RuleSummary } from "../../routing/mod.ts";
import { DISJOINT, type Disjoint, MAX_COUNT, type Measurable } from "../../services/route_finder/mod.ts";
import type { RouteCandidateView, RouteView } from "../../visor/mod.ts";
import type { InputOf } from "../../visor/control/operation.ts";
import { EXPLAIN_ROUTES, FIND_ROUTES, LIST_RULES } from "../../visor/routes/api.ts";
import { formatFigure } from "../../runtime/mod.ts";
import { shortKey } from "../../types/mod.ts";
import { type CommonOptions, keyArgument, makeCommand, makeGroup, printResult, wholeNumber } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { routeConstraintsOf, type RouteOptions, withRouteOptions } from "../route_options.ts";
import { formatTable } from "../table.ts";

interface FindOptions extends CommonOptions, RouteOptions {
  readonly count: number;
  readonly disjoint: Disjoint;
}

/** The command. */
export function routeCommand(host: CliHost): Command {
  const find = withFindOptions(makeCommand("find", {
    description: "Find the best paths to a visor; nothing is set up.",
    examples: [
      "skywire route find 02c6047f…",
      "skywire route find 02c6047f… --metric latency --disjoint visors --count 2",
      "skywire route find 02c6047f… --min-hops 2 --avoid 03a1b2c3 --json",
    ],
  })).action(async (remote: string, options: FindOptions) => {
    const visor = await connectToVisor(options, host);
    const found = await visor.ask(FIND_ROUTES, { body: questionOf(remote, options) });
    printResult(found, { options, host, describe: ({ routes }) => describeRoutes(routes, host) });
  });

  const explain = withFindOptions(makeCommand("explain", {
    description: "Show which paths to a visor there could be, and why one is chosen and the others are not.",
    examples: ["skywire route explain 02c6047f…", "skywire route explain 02c6047f… --metric throughput --max-hops 3"],
  })).action(async (remote: string, options: FindOptions) => {
    const visor = await connectToVisor(options, host);
    const found = await visor.ask(EXPLAIN_ROUTES, { body: questionOf(remote, options) });
    printResult(found, { options, host, describe: ({ candidates }) => describeCandidates(candidates) });
  });

  const rules = makeCommand("rules", {
    description: "List the routing rules that setup nodes installed on this visor.",
    examples: ["skywire route rules", "skywire route rules --json"],
  }).action(async (options: CommonOptions) => {
    const visor = await connectToVisor(options, host);
    const held = await visor.ask(LIST_RULES);
    printResult(held, { options, host, describe: (value) => describeRules(value.rules, host) });
  });

  return makeGroup("route", {
    description: "Find paths and explain them; show the rules of this visor.",
    examples: [
      "skywire route find 02c6047f…",
      "skywire route explain 02c6047f… --metric latency",
      "skywire route rules",
    ],
    commands: [find, explain, rules],
  });
}

function withFindOptions(command: Command): Command {
  return withRouteOptions(
    command.argument("<pk>", "the visor's public key, its first 8 digits or more, or its name", keyArgument),
  )
    .option("--count <n>", "how many at most", wholeNumber({ min: 1, max: MAX_COUNT }), 3)
    .addOption(
      new Option("--disjoint <what>", "what paths must not share, their ends aside").choices(DISJOINT).default("none"),
    );
}

function questionOf(remote: string, { count, disjoint, ...options }: FindOptions): InputOf<typeof FIND_ROUTES> {
  return { ...routeConstraintsOf(options), remote, count, disjoint };
}

function describeRoutes(routes: readonly RouteView[], host: CliHost): string {
  const table = formatTable(["HOPS", "LATENCY", "MB/S", "RESETS/H", "VISORS"], {
    rows: routes.map((route) => [
      String(route.hops),
      figure(route, "latencyMs", " ms"),
      figure(route, "throughputMBps"),
      figure(route, "resetsPerHour"),
      inLines(route.visors.map(shortKey), 3),
    ]),
    nothing: "no route",
    colours: host.isTerminal,
  });
  return withFootnote(table, routes);
}

function describeCandidates(candidates: readonly RouteCandidateView[]): string {
  return withFootnote(candidates.map(describeCandidate).join("\n\n"), candidates);
}

/** Says what the star at a figure means, where there is one. */
function withFootnote(text: string, routes: readonly Pick<RouteView, "assumed">[]): string {
  const isAssumed = routes.some(({ assumed }) => assumed !== undefined && assumed.length > 0);
  return isAssumed ? `${text}\n\n* not measured on every transport; usual figures fill the gaps` : text;
}

function describeCandidate({ visors, cost, assumed, chosen, reason }: RouteCandidateView): string {
  const figures = { ...cost, ...(assumed && { assumed }) };
  const costs = [
    `${cost.hops} hop${cost.hops === 1 ? "" : "s"}`,
    figure(figures, "latencyMs", " ms"),
    figure(figures, "throughputMBps", " MB/s"),
    figure(figures, "resetsPerHour", " resets/h"),
  ];
  return [
    inLines(visors.map(shortKey), 6),
    `    ${costs.join(", ")}`,
    `    ${chosen ? "chosen: " : ""}${reason}`,
  ].join("\n");
}

/** Visors of a path, so many a line: long paths fit the width. */
function inLines(visors: readonly string[], count: number): string {
  const lines: string[] = [];
  for (let i = 0; i < visors.length; i += count) lines.push(visors.slice(i, i + count).join(" → "));
  return lines.join(" →\n");
}

/** A figure; a star marks one that nobody measured. */
function figure(figures: Pick<RouteView, Measurable | "assumed">, name: Measurable, unit = ""): string {
  return `${formatFigure(figures[name])}${unit}${figures.assumed?.includes(name) ? " *" : ""}`;
}

function describeRules(rules: readonly RuleSummary[], host: CliHost): string {
  return formatTable(["ROUTE", "TYPE", "NEXT", "OVER", "IDLE", "REMOTE"], {
    rows: rules.map((rule) => [
      String(rule.routeId),
      rule.type,
      rule.nextRouteId === undefined ? "–" : String(rule.nextRouteId),
      rule.transport?.slice(0, 8) ?? "–",
      `${formatFigure(rule.idleMs / 1000)} s`,
      rule.remote === undefined ? "–" : `${shortKey(rule.remote)}:${rule.remotePort}`,
    ]),
    nothing: "no rules: no route goes over this visor now",
    colours: host.isTerminal,
  });
}
