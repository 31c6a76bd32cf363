/**
 * What the route finder answers beyond v1.3, on paths of its own:
 *
 * ```
 * POST /v2/routes          {"source","destination", …the members of RouteConditions}
 * 200                      {"routes":[{"hops":[{"TpID","From","To"}],"cost","figures":{…}}],"isExact"}
 * POST /v2/routes/explain  the same question
 * 200                      {"candidates":[{…as a route,"chosen","reason"}]}
 * 400, 404, 503            {"error":{"message","code"}}
 * ```
 */

import { z } from "zod";
import { ProtocolError } from "../../errors/mod.ts";
import { type Hop, parseTransportId, type PublicKey, type TransportId } from "../../types/mod.ts";
import type { RouteCandidate } from "./explain.ts";
import { METRICS } from "./figures.ts";
import type { RouteAnswer } from "./logic.ts";
import { DISJOINT, MAX_AVOID, MAX_COUNT, MAX_VIA, type RatedRoute, type RouteQuestion } from "./question.ts";
import { MAX_HOPS } from "./search.ts";

/** Paths below the base URL. */
export const V2_PATHS = { routes: "/v2/routes", explain: "/v2/routes/explain" } as const;

const key = z.string().regex(/^0[23][0-9a-f]{64}$/, "wanted a public key of 66 hex digits") as unknown as z.ZodType<
  PublicKey
>;
const weight = z.number().min(0).max(1_000).optional();
const hops = z.int().min(1).max(MAX_HOPS).optional();

/** Checks a question. */
export const questionSchema: z.ZodType<RouteQuestion> = z.object({
  source: key,
  destination: key,
  metric: z.union([
    z.enum(METRICS),
    z.strictObject({ hops: weight, latency: weight, throughput: weight, reliability: weight }),
  ]).optional() as z.ZodType<RouteQuestion["metric"]>,
  count: z.int().min(1).max(MAX_COUNT).optional(),
  disjoint: z.enum(DISJOINT).optional(),
  minHops: hops,
  maxHops: hops,
  avoid: z.array(key).max(MAX_AVOID).optional(),
  avoidTypes: z.array(z.string().min(1).max(32)).max(MAX_AVOID).optional(),
  via: z.array(key).max(MAX_VIA).optional(),
});

const hopSchema: z.ZodType<Hop> = z.object({ TpID: z.string(), From: key, To: key }).transform(
  ({ TpID, From, To }, context) => {
    const transportId = parseTransportId(TpID);
    if (transportId !== undefined) return { transportId, from: From, to: To };
    context.addIssue({ code: "custom", message: "wanted a UUID" });
    return z.NEVER;
  },
) as unknown as z.ZodType<Hop>;

const ratedShape = {
  hops: z.array(hopSchema).min(1).max(MAX_HOPS),
  cost: z.number(),
  figures: z.object({
    hops: z.int(),
    latencyMs: z.number(),
    throughputMBps: z.number(),
    resetsPerHour: z.number(),
  }),
};

/** Checks the answer of {@link V2_PATHS}.routes. */
export const answerSchema: z.ZodType<RouteAnswer> = z.object({
  routes: z.array(z.object(ratedShape)).min(1),
  isExact: z.boolean(),
});

/** Checks the answer of {@link V2_PATHS}.explain. */
export const candidatesSchema: z.ZodType<{ readonly candidates: readonly RouteCandidate[] }> = z.object({
  candidates: z.array(z.object({ ...ratedShape, chosen: z.boolean(), reason: z.string() })).min(1),
});

/**
 * Reads a question.
 * @throws {ProtocolError} `route-finder/bad-request`, naming each member that is wrong
 */
export function parseQuestion(text: string): RouteQuestion {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ProtocolError("route-finder/bad-request", "the body is no JSON");
  }
  const result = questionSchema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`);
  throw new ProtocolError("route-finder/bad-request", problems.join("; "));
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
