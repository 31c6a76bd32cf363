/**
 * Why this route and no other, in words: the routes that could have been, what each costs by every measure, and which
 * condition or which cost decided against it. Besides the best routes as asked for, it shows the best ones by the other
 * measures, and those that would be there if nothing was avoided, limited or broken.
 * Tested in tests/routing/rank_prop_test.ts.
 */

import { formatFigure } from "../runtime/mod.ts";
import { at } from "../types/at.ts";
import { isRelayed } from "../overlay/mod.ts";
import { type PublicKey, shortKey } from "../types/mod.ts";
import { joiningOf, type Measurable, type Metric, METRICS, type MetricWeights, mixCosts } from "./figures.ts";
import type { TransportGraph } from "./graph.ts";
import { findPaths, nothingFound, rate } from "./answer.ts";
import { countSteps } from "./budget.ts";
import { type CompleteQuery, completeQuery, type RatedRoute, type RouteQuery, searchOf } from "./query.ts";
import { MAX_SEARCH_HOPS, type NumberedPath, type Search } from "./search.ts";

/** A route that could have been taken, and what became of it. */
export interface RouteCandidate extends RatedRoute {
  /** Is it the one to take? */
  readonly chosen: boolean;
  /** Why, or why not. */
  readonly reason: string;
}

/** Routes as asked for that are shown, the chosen one included. */
const SHOWN = 5;

/** Routes not as asked for that are shown. */
const SHOWN_OTHERS = 3;

/**
 * Explains what a question finds. The chosen route is the first candidate; there is none when all break a condition.
 * @throws {ProtocolError} `route-finder/bad-request`
 * @throws {RefusedError} `route-finder/unreachable` when not even a broken or unwanted way leads there
 */
export function explainRoutes(
  graph: TransportGraph,
  query: RouteQuery,
  budgets = countSteps,
): readonly RouteCandidate[] {
  const asked = completeQuery(query);
  const { metric } = asked;
  const found = new Map<string, NumberedPath>();
  const collect = (paths: readonly NumberedPath[]): void => {
    for (const path of paths) if (!found.has(path.transports.join())) found.set(path.transports.join(), path);
  };
  const search = searchOf(asked, { graph, budget: budgets() });
  const { paths: [chosen], isExact } = findPaths(search, asked);
  collect(chosen === undefined ? [] : [chosen]);
  collect(findPaths(search, { count: Math.max(SHOWN, asked.count), disjoint: "none" }).paths);
  const wouldWin = new Map<string, Metric[]>();
  for (const other of METRICS.filter((one) => one !== metric)) {
    const { paths } = findPaths(searchOf({ ...asked, metric: other }, { graph, budget: budgets() }), {
      count: 1,
      disjoint: "none",
    });
    collect(paths);
    for (const { transports } of paths) {
      wouldWin.set(transports.join(), [...wouldWin.get(transports.join()) ?? [], other]);
    }
  }
  for (const relaxed of relaxations(search, { asked, graph })) {
    collect(findPaths({ ...relaxed, budget: budgets() }, { count: SHOWN_OTHERS, disjoint: "none" }).paths);
  }
  if (found.size === 0) throw nothingFound(search, { shown: shortKey(asked.destination), isExact });

  const best = chosen === undefined ? undefined : rate(chosen, { graph, metric });
  const candidates = [...found].map(([name, path]): RouteCandidate => {
    const route = rate(path, { graph, metric });
    if (path === chosen) {
      return { ...route, chosen: true, reason: reasonToChoose(route, { asked, isExact, isOnly: found.size === 1 }) };
    }
    const problems = problemsOf(path, { asked, graph });
    const reason = problems.length > 0 || best === undefined || chosen === undefined
      ? problems.join("; ")
      : reasonAgainst(route, { best, asked, relayed: [relayedHops(path, graph), relayedHops(chosen, graph)] });
    const others = problems.length > 0 ? undefined : wouldWin.get(name)?.join(" and ");
    return {
      ...route,
      chosen: false,
      reason: others === undefined ? reason : `${reason}; by ${others} it would be best`,
    };
  });
  return candidates;
}

/** The search without its constraints: first all of them, then each kind alone. */
function relaxations(
  search: Search,
  { asked, graph }: { readonly asked: CompleteQuery; readonly graph: TransportGraph },
): Search[] {
  const costs = typeof asked.metric === "string"
    ? graph.costsOfAll(asked.metric)
    : mixCosts(asked.metric, (metric) => graph.costsOfAll(metric));
  const broken = { costs, ties: graph.costsOfAll("hops"), joining: joiningOf(asked.metric) };
  const free = { avoid: new Set<number>(), via: [] };
  const anyLength = { minHops: 1, maxHops: MAX_SEARCH_HOPS };
  return [
    { ...search, ...free, ...anyLength },
    { ...search, ...anyLength },
    { ...search, ...free, ...anyLength, ...broken },
  ];
}

/** The constraints that a path breaks, in words. */
function problemsOf(
  { visors, transports }: NumberedPath,
  { asked, graph }: { readonly asked: CompleteQuery; readonly graph: TransportGraph },
): string[] {
  const keys = visors.map((visor) => graph.keyOf(visor));
  const hops = transports.length;
  const broken = transports.flatMap((number, i) => {
    const { id, status } = graph.transport(number);
    if (status !== "not-working") return [];
    return [
      `the transport ${id.slice(0, 8)} from ${shortKey(at(keys, i))} to ${shortKey(at(keys, i + 1))} does not work now`,
    ];
  });
  const types = new Set(transports.map((number) => graph.transport(number).kind));
  return [
    ...broken,
    ...asked.avoid.filter((key) => keys.includes(key)).map((key) =>
      `it passes ${shortKey(key)}, which is to be avoided`
    ),
    ...asked.avoidTypes.filter((type) => types.has(type)).map((type) =>
      `it uses a transport of type ${type}, which is to be avoided`
    ),
    ...problemsOfVia(keys, asked.via),
    ...(hops > asked.maxHops ? [`it is too long: ${countHops(hops)}, and at most ${asked.maxHops} are wanted`] : []),
    ...(hops < asked.minHops ? [`it is too short: ${countHops(hops)}, and at least ${asked.minHops} are wanted`] : []),
  ];
}

function problemsOfVia(keys: readonly PublicKey[], via: readonly PublicKey[]): string[] {
  const missing = via.filter((key) => !keys.includes(key));
  if (missing.length > 0) return missing.map((key) => `it does not pass ${shortKey(key)}`);
  const places = via.map((key) => keys.indexOf(key));
  const isInOrder = places.every((place, i) => i === 0 || place > at(places, i - 1));
  return isInOrder ? [] : [`it passes ${via.map(shortKey).join(" and ")} in another order`];
}

function reasonToChoose(
  route: RatedRoute,
  { asked: { metric, disjoint }, isExact, isOnly }: {
    readonly asked: CompleteQuery;
    readonly isExact: boolean;
    readonly isOnly: boolean;
  },
): string {
  if (isOnly) return `the only route there is: ${amountOf(metric, route)}`;
  const among = disjoint === "none" ? "" : ` of those that share no ${disjoint}`;
  const doubt = isExact ? "" : ", as far as is known: with such constraints the search may miss a better one";
  return `the best${among} by ${nameOf(metric)}: ${amountOf(metric, route)}${doubt}`;
}

function reasonAgainst(
  route: RatedRoute,
  { best, asked: { metric, disjoint }, relayed: [ours, theirs] }: {
    readonly best: RatedRoute;
    readonly asked: CompleteQuery;
    readonly relayed: readonly [number, number];
  },
): string {
  const its = amountOf(metric, route);
  if (route.cost > best.cost) {
    return `worse by ${nameOf(metric)}: ${its}; the chosen route has ${amountOf(metric, best)}`;
  }
  if (route.cost < best.cost) {
    return `better by itself (${its}), but it leaves fewer or worse routes that share no ${disjoint} with it`;
  }
  const [hops, bestHops] = [route.figures.hops, best.figures.hops];
  const equal = `as good by ${nameOf(metric)} (${its})`;
  if (hops > bestHops) return `${equal}, but longer: ${countHops(hops)}; the chosen route has ${countHops(bestHops)}`;
  if (ours > theirs) return `${equal}, but more of it goes through messaging servers: ${relays(ours, theirs)}`;
  return `${equal} and as short; the chosen route came first`;
}

function relays(ours: number, theirs: number): string {
  return `${countHops(ours)}; the chosen route has ${theirs === 0 ? "none" : countHops(theirs)} of that kind`;
}

function relayedHops({ transports }: NumberedPath, graph: TransportGraph): number {
  return transports.filter((number) => isRelayed(graph.transport(number).kind)).length;
}

function amountOf(
  metric: Metric | MetricWeights,
  { figures, cost, assumed }: Pick<RatedRoute, "figures" | "cost" | "assumed">,
): string {
  switch (metric) {
    case "hops":
      return countHops(figures.hops);
    case "latency":
      return `${formatFigure(figures.latencyMs)} ms there and back${doubtOf({ figures, assumed }, "latencyMs")}`;
    case "throughput":
      return `${formatFigure(figures.throughputMBps)} MB/s at its narrowest transport${
        doubtOf({ figures, assumed }, "throughputMBps")
      }`;
    case "reliability":
      return `${formatFigure(figures.resetsPerHour)} resets an hour expected${
        doubtOf({ figures, assumed }, "resetsPerHour")
      }`;
    default:
      return `a cost of ${formatFigure(cost)}`;
  }
}

function nameOf(metric: Metric | MetricWeights): string {
  return typeof metric === "string" ? metric : "the mix";
}

function countHops(hops: number): string {
  return hops === 1 ? "1 hop" : `${hops} hops`;
}

/** Says that a figure is no measurement. */
function doubtOf(
  { figures: { hops }, assumed = [] }: Pick<RatedRoute, "figures" | "assumed">,
  name: Measurable,
): string {
  if (!assumed.includes(name)) return "";
  return hops === 1 ? " (not measured: usual for its kind)" : " (not measured everywhere: usual figures fill the gaps)";
}
