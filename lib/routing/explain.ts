/**
 * Why a dial takes this route and no other: the order of `rank.ts`, which dials follow, with the reasons of the route
 * finder for the routes on its map. Tested in tests/routing/rank_prop_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import {
  type RatedRoute,
  rateHops,
  type RouteCandidate,
  type RouteFinderClient,
  type RouteQuery,
} from "../services/route_finder/mod.ts";
import type { TransportTable } from "../transport/mod.ts";
import type { Path } from "../types/mod.ts";
import { dialConstraints, nameOfPath, type RankedPath, type Ranking, rankPaths } from "./rank.ts";
import { askForPaths } from "./route_choice.ts";

/** What explaining needs. */
export interface ExplainDeps {
  readonly routeFinder: Pick<RouteFinderClient, "findRoutes" | "explain">;
  readonly transports: Pick<TransportTable, "list">;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Explains what a dial from here with the same constraints would do; the chosen route first. None is chosen when a dial
 * would find no route.
 * @throws {UnavailableError} `route/not-found` when there is nothing to show; as `RouteFinderClient.explain`
 */
export async function explainDial(query: RouteQuery, deps: ExplainDeps): Promise<readonly RouteCandidate[]> {
  const { source, destination, count, disjoint, ...given } = query;
  const { routeFinder, transports, signal } = deps;
  const constraints = dialConstraints(given);
  const [explained, answered] = await Promise.allSettled([
    routeFinder.explain({ ...constraints, source, destination, count, disjoint }, { signal }),
    askForPaths({ from: source, to: destination }, { constraints, routeFinder, signal }),
  ]);
  signal?.throwIfAborted();
  const { candidates, refused } = rankPaths({
    localKey: source,
    remote: destination,
    constraints,
    transports: transports.list(),
    found: answered.status === "fulfilled" ? answered.value : [],
  });
  if (explained.status === "rejected" && (candidates.length === 0 || !(explained.reason instanceof UnavailableError))) {
    throw explained.reason;
  }
  const told = explained.status === "fulfilled" ? explained.value : [];
  const byName = new Map(told.map((one) => [nameOfPath(one.hops), one]));
  const reasons = new Map([...candidates, ...refused].map((one) => [nameOfPath(one.hops), one.reason]));
  const [chosen] = candidates, best = told.find((one) => one.chosen);
  const shown = new Set<string>();
  const views: RouteCandidate[] = [];
  const show = (name: string, { route, isChosen, reason }: Shown): void => {
    if (shown.has(name)) return;
    shown.add(name);
    views.push({ ...route, chosen: isChosen, reason });
  };
  for (const one of candidates) {
    const name = nameOfPath(one.hops), known = byName.get(name);
    // The finder's own order is kept for the others that it shows.
    if (one !== chosen && known !== undefined) continue;
    const isToldBest = known?.chosen === true || one !== chosen;
    const reason = one.reason ?? (isToldBest ? known?.reason : reasonAfter(best, { candidates, refused })) ?? THE_BEST;
    show(name, { route: rated(one, { known, query }), isChosen: one === chosen, reason });
  }
  for (const { chosen: wasChosen, reason, ...route } of told) {
    const name = nameOfPath(route.hops);
    const instead = wasChosen && chosen !== undefined ? reasonInstead(chosen) : reason;
    show(name, { route, isChosen: false, reason: reasons.get(name) ?? instead });
  }
  return views;
}

interface Shown {
  readonly route: RatedRoute;
  readonly isChosen: boolean;
  readonly reason: string;
}

const THE_BEST = "the best that the route finder knows";

/** Why a dial takes this one, though another one is the best on the map. */
function reasonAfter(best: RouteCandidate | undefined, { candidates, refused }: Ranking): string | undefined {
  if (best === undefined) return undefined;
  const name = nameOfPath(best.hops);
  const isIt = ({ hops }: { readonly hops: Path }): boolean => nameOfPath(hops) === name;
  if (refused.some(isIt)) return "the best of those that begin with a transport that is up here";
  if (candidates.find(isIt)?.rank !== "last-resort") return undefined;
  return "the best of those that need no messaging transport which only stands in";
}

/** Why the route that is best on the map is not what a dial takes. */
function reasonInstead({ rank }: RankedPath): string {
  return rank === "direct"
    ? "a dial tries the transports of this visor to the other one first"
    : "one of the routes that were asked for together; a dial takes the best one by itself";
}

function rated(
  { hops }: RankedPath,
  { known, query }: { readonly known: RouteCandidate | undefined; readonly query: RouteQuery },
): RatedRoute {
  if (known === undefined) return rateHops(hops, query.metric ?? "hops");
  const { chosen: _chosen, reason: _reason, ...route } = known;
  return route;
}
