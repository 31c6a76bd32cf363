/**
 * The best routes by trying everything: slow, and obviously right. For maps of half a dozen visors. Knows nothing of
 * graphs, bounds or flows: a route is a list of transports, and every list that is a route is looked at.
 */

import { at } from "../../lib/types/at.ts";
import type { MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import type { CompleteQuery } from "../../lib/paths/query.ts";
import { figuresOf, type Metric, type MetricWeights } from "../../lib/paths/figures.ts";

/** Transports in the order of the way, and the visors on it. */
export interface OracleRoute {
  readonly transports: readonly MapTransport[];
  readonly visors: readonly string[];
}

/** What decides between routes, the first difference counts: the measure, hops, transports through messaging servers. */
export type OracleCost = readonly [amount: number, hops: number, relayed: number];

/** The costs of the best routes, or of the routes of a best set; the best first. */
export function bestCosts(map: readonly MapTransport[], question: CompleteQuery): OracleCost[] {
  const routes = allRoutes(map, question);
  if (question.disjoint !== "none") {
    return bestSet(routes, question).map((route) => costOf(route, question.metric)).sort(compare);
  }
  const byVisors = new Map<string, OracleRoute>();
  for (const route of routes) {
    const name = route.visors.join(), other = byVisors.get(name);
    if (other === undefined || compare(costOf(route, question.metric), costOf(other, question.metric)) < 0) {
      byVisors.set(name, route);
    }
  }
  return [...byVisors.values()].map((route) => costOf(route, question.metric)).sort(compare).slice(0, question.count);
}

/** Every route that keeps to all conditions. */
export function allRoutes(map: readonly MapTransport[], question: CompleteQuery): OracleRoute[] {
  const found: OracleRoute[] = [];
  const walk = (route: OracleRoute): void => {
    const last = at(route.visors, -1);
    if (last === question.destination) {
      if (isAsAsked(route, question)) found.push(route);
      return;
    }
    for (const transport of map) {
      const [a, b] = transport.edges as readonly [string, string];
      const to = a === last ? b : b === last ? a : undefined;
      if (to === undefined || route.visors.includes(to)) continue;
      walk({ transports: [...route.transports, transport], visors: [...route.visors, to] });
    }
  };
  walk({ transports: [], visors: [question.source] });
  return found;
}

/** The cost of a route. */
export function costOf({ transports }: OracleRoute, metric: Metric | MetricWeights): OracleCost {
  const amounts = transports.map((transport) => amountOf(transport, metric));
  const amount = metric === "throughput" ? Math.max(...amounts) : amounts.reduce((sum, one) => sum + one, 0);
  return [rounded(amount), transports.length, transports.filter(({ kind }) => kind === "dmsg").length];
}

/** The cost of routes together. */
export function costOfSet(costs: readonly OracleCost[], metric: Metric | MetricWeights): OracleCost {
  return costs.reduce(([amount, hops, relayed], one) => [
    rounded(metric === "throughput" ? Math.max(amount, one[0]) : amount + one[0]),
    hops + one[1],
    relayed + one[2],
  ], [0, 0, 0] as OracleCost);
}

/** Which cost is less. */
export function compare(a: OracleCost, b: OracleCost): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function isAsAsked({ transports, visors }: OracleRoute, question: CompleteQuery): boolean {
  const { minHops, maxHops, avoid, avoidTypes, via } = question;
  const places = via.map((key) => visors.indexOf(key));
  return transports.length >= minHops && transports.length <= maxHops &&
    transports.every(({ status, kind }) => status !== "not-working" && !avoidTypes.includes(kind)) &&
    !visors.some((key) => (avoid as readonly string[]).includes(key)) &&
    places.every((place, i) => place >= 0 && (i === 0 || place > at(places, i - 1)));
}

/** Of all sets that share nothing the largest, of those the cheapest. */
function bestSet(routes: readonly OracleRoute[], { count, disjoint, metric }: CompleteQuery): OracleRoute[] {
  const isJoined = (a: OracleRoute, b: OracleRoute): boolean =>
    disjoint === "links"
      ? a.transports.some((transport) => b.transports.includes(transport))
      : a.visors.join() === b.visors.join() || a.visors.slice(1, -1).some((visor) => b.visors.includes(visor));
  let best: OracleRoute[] = [];
  const total = (set: readonly OracleRoute[]): OracleCost => costOfSet(set.map((one) => costOf(one, metric)), metric);
  const choose = (from: number, set: OracleRoute[]): void => {
    if (set.length > best.length || (set.length === best.length && compare(total(set), total(best)) < 0)) best = set;
    if (set.length === count) return;
    for (let i = from; i < routes.length; i++) {
      const route = at(routes, i);
      if (!set.some((one) => isJoined(one, route))) choose(i + 1, [...set, route]);
    }
  };
  choose(0, []);
  return best;
}

function amountOf(transport: MapTransport, metric: Metric | MetricWeights): number {
  const { latencyMs, throughputMBps, resetsPerHour } = figuresOf(transport);
  const amounts = { hops: 1, latency: latencyMs, throughput: 1 / throughputMBps, reliability: resetsPerHour };
  if (typeof metric === "string") return amounts[metric];
  return (metric.hops ?? 0) + (metric.latency ?? 0) * latencyMs / 50 + (metric.throughput ?? 0) * 10 / throughputMBps +
    (metric.reliability ?? 0) * resetsPerHour;
}

function rounded(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
