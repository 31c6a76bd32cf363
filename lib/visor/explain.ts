/**
 * Why a dial takes this route and no other: what the route finder says of its map, and what the visor itself knows of the
 * transports that routes begin with.
 */

import { isLastResort } from "../routing/mod.ts";
import type { RatedRoute, RouteCandidate, RouteFinderClient, RouteQuery } from "../services/route_finder/mod.ts";
import type { TransportTable } from "../transport/mod.ts";

/** What explaining needs. */
export interface ExplainDeps {
  readonly routeFinder: Pick<RouteFinderClient, "ask" | "explain">;
  readonly table: Pick<TransportTable, "list">;
  readonly signal: AbortSignal | undefined;
}

/**
 * Explains what a dial from here with the same constraints would do; the chosen route first.
 * @throws as `RouteFinderClient.explain`
 */
export async function explainRoutes(query: RouteQuery, deps: ExplainDeps): Promise<readonly RouteCandidate[]> {
  const { routeFinder, table, signal } = deps;
  const candidates = await routeFinder.explain(query, { signal });
  const chosen = candidates.find((candidate) => candidate.chosen);
  const lastResorts = new Set<string>(table.list().filter(isLastResort).map(({ id }) => id));
  const isLast = ({ hops: [first] }: RatedRoute): boolean => first !== undefined && lastResorts.has(first.transportId);
  if ((query.metric ?? "hops") !== "hops" || chosen === undefined || !isLast(chosen)) return candidates;
  const better = (await routeFinder.ask(query, { signal })).routes.find((route) => !isLast(route));
  if (better === undefined) return candidates;
  const others = candidates.filter((candidate) => nameOf(candidate) !== nameOf(better));
  return [
    { ...better, chosen: true, reason: "the best by hops of those that need no transport which only stands in" },
    ...others.map((other) => other === chosen ? { ...other, chosen: false, reason: STANDS_IN } : other),
  ];
}

const STANDS_IN = "fewer hops, but it begins with a messaging transport that no user asked for: it only stands in " +
  "where there is no other way";

function nameOf({ hops }: RatedRoute): string {
  return hops.map(({ transportId }) => transportId).join();
}
