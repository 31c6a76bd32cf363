/**
 * The options of commands that look for routes: by which measure, around what, over whom.
 * Tested in tests/cli/command_test.ts.
 */

import { type Command, InvalidArgumentError, Option } from "commander";
import { type Metric, METRICS, type MetricWeights } from "../services/route_finder/mod.ts";
import type { InputOf } from "../visor/control/operation.ts";
import type { FIND_ROUTES } from "../visor/routes/api.ts";
import { collect, keyArgument, wholeNumber } from "./command.ts";

/** The options; as the control API takes them. */
export interface RouteOptions {
  readonly metric?: Metric | MetricWeights;
  readonly minHops?: number;
  readonly maxHops?: number;
  readonly avoid?: string[];
  readonly avoidType?: string[];
  readonly via?: string[];
}

/** Adds the options to a command. */
export function withRouteOptions(command: Command): Command {
  const hops = wholeNumber({ min: 1, max: 50 });
  return command
    .addOption(
      new Option("--metric <m>", `by ${METRICS.join(", ")}, or a mix such as latency=2,hops=1`).argParser(
        metricArgument,
      ),
    )
    .option("--min-hops <n>", "not shorter than", hops)
    .option("--max-hops <n>", "not longer than", hops)
    .option("--avoid <pk>", "not over this visor; may be repeated", collect(keyArgument))
    .option("--avoid-type <type>", "not over transports of this type; may be repeated", collect(String))
    .option("--via <pk>", "over this visor; when repeated, in this order", collect(keyArgument));
}

/** The members of a request to the control API that come from these options. */
export function routeConstraintsOf(
  options: RouteOptions,
): Omit<InputOf<typeof FIND_ROUTES>, "remote" | "count" | "disjoint"> {
  const { metric, minHops, maxHops, avoid, avoidType, via } = options;
  return { metric, minHops, maxHops, avoid, avoidTypes: avoidType, via };
}

/** Reads a measure, or weights of several. */
export function metricArgument(text: string): Metric | MetricWeights {
  const single = METRICS.find((metric) => metric === text);
  if (single !== undefined) return single;
  const weights: Partial<Record<Metric, number>> = {};
  for (const part of text.split(",")) {
    const [name, value] = part.split("=");
    const metric = METRICS.find((one) => one === name);
    if (metric === undefined || value === undefined || !/^\d+(\.\d+)?$/.test(value) || Number(value) > 1_000) {
      throw new InvalidArgumentError(`Wanted ${METRICS.join(", ")}, or a mix such as latency=2,hops=1.`);
    }
    weights[metric] = Number(value);
  }
  return weights;
}
