/** Routes as users see them. */

import type { RatedRoute, RouteCandidate } from "../../services/route_finder/mod.ts";
import type { RouteCandidateView, RouteView } from "../views.ts";

/** A route that was found. */
export function routeViewOf({ hops, cost, figures }: RatedRoute): RouteView {
  const { latencyMs, throughputMBps, resetsPerHour } = figures;
  return { hops: hops.length, ...wayOf(hops), cost, latencyMs, throughputMBps, resetsPerHour };
}

/** A route that could be taken. */
export function candidateViewOf({ hops, figures, chosen, reason }: RouteCandidate): RouteCandidateView {
  return { ...wayOf(hops), cost: figures, chosen, reason };
}

function wayOf(hops: RatedRoute["hops"]): Pick<RouteView, "visors" | "transports"> {
  return {
    visors: [hops[0]!.from, ...hops.map((hop) => hop.to)],
    transports: hops.map((hop) => hop.transportId),
  };
}
