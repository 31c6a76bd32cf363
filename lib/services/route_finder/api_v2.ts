/**
 * What the route finder answers beyond v1.3, on paths of its own:
 *
 * ```
 * POST /v2/routes          {"source","destination", …the members of RouteQuery}
 * 200                      {"routes":[{"hops":[{"TpID","From","To"}],"cost","figures":{…}}],"isExact"}
 * POST /v2/routes/explain  the same question
 * 200                      {"candidates":[{…as a route,"chosen","reason"}]}
 * 400, 404, 503            {"error":{"message","code"}}
 * ```
 *
 * Tested in tests/paths/query_test.ts.
 */

import * as v from "valibot";
import { formatProblems, problemsOf } from "../../check/mod.ts";
import { ProtocolError } from "../../errors/mod.ts";
import { type Hop, parseTransportId, type PublicKey, type TransportId } from "../../types/mod.ts";
import { described, integer } from "../http/mod.ts";
import type { RouteCandidate } from "../../paths/explain.ts";
import { MEASURABLE, METRICS } from "../../paths/figures.ts";
import type { RouteAnswer } from "../../paths/answer.ts";
import { DISJOINT, MAX_AVOID, MAX_COUNT, MAX_VIA, type RatedRoute, type RouteQuery } from "../../paths/query.ts";
import { MAX_SEARCH_HOPS } from "../../paths/search.ts";

/** Paths below the base URL. */
export const V2_PATHS = { routes: "/v2/routes", explain: "/v2/routes/explain" } as const;

const key = v.pipe(
  v.string(),
  v.regex(/^0[23][0-9a-f]{64}$/, "wanted a public key of 66 hex digits"),
) as unknown as v.GenericSchema<unknown, PublicKey>;
const weight = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1_000)));
/** A whole number from 1 on. */
const upTo = (max: number): v.GenericSchema<number> => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));

/** Checks a question. */
export const querySchema: v.GenericSchema<unknown, RouteQuery> = v.object({
  source: key,
  destination: key,
  metric: v.optional(v.union([
    v.picklist(METRICS),
    v.strictObject({ hops: weight, latency: weight, throughput: weight, reliability: weight }),
  ])),
  count: v.optional(upTo(MAX_COUNT)),
  disjoint: v.optional(v.picklist(DISJOINT)),
  minHops: v.optional(upTo(MAX_SEARCH_HOPS)),
  maxHops: v.optional(upTo(MAX_SEARCH_HOPS)),
  avoid: v.optional(v.pipe(v.array(key), v.maxLength(MAX_AVOID))),
  avoidTypes: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(32))), v.maxLength(MAX_AVOID)),
  ),
  via: v.optional(v.pipe(v.array(key), v.maxLength(MAX_VIA))),
});

const hopSchema: v.GenericSchema<unknown, Hop> = v.pipe(
  v.object({ TpID: v.string(), From: key, To: key }),
  v.rawTransform(({ dataset: { value: { TpID, From, To } }, addIssue, NEVER }) => {
    const transportId = parseTransportId(TpID);
    if (transportId !== undefined) return { transportId, from: From, to: To };
    addIssue({ message: "wanted a UUID" });
    return NEVER;
  }),
);

const ratedShape = {
  hops: v.pipe(v.array(hopSchema), v.minLength(1), v.maxLength(MAX_SEARCH_HOPS)),
  cost: v.number(),
  figures: v.object({
    hops: integer,
    latencyMs: v.number(),
    throughputMBps: v.number(),
    resetsPerHour: v.number(),
  }),
  assumed: v.optional(
    v.pipe(
      v.array(v.picklist(MEASURABLE)),
      v.description("Figures that were not measured on every transport; usual ones fill the gaps"),
    ),
  ),
};

/** Checks the answer of {@link V2_PATHS}.routes. */
export const answerSchema: v.GenericSchema<unknown, RouteAnswer> = v.object({
  routes: v.pipe(v.array(v.object(ratedShape)), v.minLength(1)),
  isExact: described(
    v.boolean(),
    "True: certainly no routes are better, and no more are there up to the count. False: the routes are as asked for, " +
      "but better or more may be there; so it can be for disjoint routes under limits of hops or with visors to pass, " +
      "which is a hard question, and for searches that used up their budget of work",
  ),
});

/** Checks the answer of {@link V2_PATHS}.explain. */
export const candidatesSchema: v.GenericSchema<unknown, { readonly candidates: readonly RouteCandidate[] }> = v.object({
  candidates: v.pipe(
    v.array(v.object({ ...ratedShape, chosen: v.boolean(), reason: v.string() })),
    v.minLength(1),
  ),
});

/**
 * Reads a question.
 * @throws {ProtocolError} `route-finder/bad-request`, naming each member that is wrong
 */
export function parseRouteQuery(text: string): RouteQuery {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ProtocolError("route-finder/bad-request", "the body is no JSON");
  }
  const result = v.safeParse(querySchema, json);
  if (result.success) return result.output;
  throw new ProtocolError("route-finder/bad-request", formatProblems(problemsOf(result.issues)));
}

/** Writes the answer of {@link V2_PATHS}.routes. */
export function formatAnswer({ routes, isExact }: RouteAnswer): string {
  return JSON.stringify({ routes: routes.map(wireOf), isExact });
}

/** Writes the answer of {@link V2_PATHS}.explain. */
export function formatCandidates(candidates: readonly RouteCandidate[]): string {
  return JSON.stringify({ candidates: candidates.map(wireOf) });
}

function wireOf<T extends RatedRoute>(
  route: T,
): Omit<T, "hops"> & { readonly hops: { TpID: TransportId; From: PublicKey; To: PublicKey }[] } {
  return {
    ...route,
    hops: route.hops.map(({ transportId, from, to }) => ({ TpID: transportId, From: from, To: to })),
  };
}
