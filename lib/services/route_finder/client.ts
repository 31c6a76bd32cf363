/**
 * The client of the route finder, for any that speaks the v1.3 API; what goes beyond needs one of ours. Tested in
 * tests/services/route_finder/finder_test.ts.
 */

import { ProtocolError, RefusedError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import { type Hop, parseTransportId, type PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { isJsonObject, type Json, JsonObject, parseJson } from "../../wire/go_json.ts";
import { createServiceClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";
import * as v from "valibot";
import { formatPair, formatQuery, ROUTES_PATH } from "./api.ts";
import { answerSchema, candidatesSchema, V2_PATHS } from "./api_v2.ts";
import type { RouteCandidate } from "../../paths/explain.ts";
import type { RouteAnswer } from "../../paths/answer.ts";
import type { RouteConstraints, RouteQuery } from "../../paths/query.ts";

/** A query for routes of several pairs of visors. */
export interface FindRoutesOptions {
  /** Source and destination of each pair. Either all pairs have routes, or the query fails. */
  readonly pairs: readonly (readonly [source: PublicKey, destination: PublicKey])[];
  /** The fewest hops of a route, 0–65535. */
  readonly minHops: number;
  /** The most hops of a route, 0–65535. */
  readonly maxHops: number;
  /** What else the routes must satisfy; a finder of v1.3 knows none of it. */
  readonly constraints?: Omit<RouteQuery, "source" | "destination" | "minHops" | "maxHops"> | undefined;
  /** Aborting it ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** Does a finder of v1.3 not know these constraints? */
export function isBeyondHops({ metric, avoid, avoidTypes, via }: RouteConstraints): boolean {
  return (metric ?? "hops") !== "hops" ||
    [avoid, avoidTypes, via].some((list) => list !== undefined && list.length > 0);
}

/** Asks a route finder (routing.md §7). */
export interface RouteFinderClient {
  /**
   * Asks for routes of several pairs.
   * @returns for each pair at least one route, the shortest first; a route to oneself has no hops
   * @throws {UnavailableError} `route/not-found` when a pair has no route within the limits; `http/unreachable` or
   * `http/timeout` when there is no answer; `route-finder/failed` when the finder is in trouble; `route-finder/too-old`
   * when a finder of v1.3 is asked for `constraints`
   * @throws {RefusedError} `route-finder/refused` when it does not understand the query
   * @throws {ProtocolError} `route-finder/bad-answer` for an answer that nobody can read
   */
  findRoutes(options: FindRoutesOptions): Promise<Hop[][][]>;
  /**
   * Asks for routes between two visors, by any measure.
   * @returns at least one route, the best first
   * @throws as `findRoutes`; {UnavailableError} `route-finder/too-old` from a finder of v1.3
   */
  ask(query: RouteQuery, options?: { readonly signal?: AbortSignal | undefined }): Promise<RouteAnswer>;
  /**
   * Asks which routes there could be, and why each is chosen or not.
   * @returns the chosen route first
   * @throws as `ask`
   */
  explain(
    query: RouteQuery,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly RouteCandidate[]>;
}

/**
 * Makes a client of a route finder.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { publicKeyOf } from "../../core/mod.ts";
 * import { hasCode } from "../../errors/mod.ts";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { SecretKey } from "../../types/mod.ts";
 * import { createTransportDiscovery } from "../transport_discovery/mod.ts";
 * import { createRouteFinder, createRouteFinderClient } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const keyOf = (n: number) => publicKeyOf(new SecretKey(new Uint8Array(32).fill(n)));
 * // The finder is in this process, so no server is needed. A client of another takes `http: runtime.http`.
 * const discovery = await createTransportDiscovery({ runtime });
 * const http = createRouteFinder({ runtime, feed: discovery.feed });
 * await http.ready;
 * const client = createRouteFinderClient({ ...runtime, http, url: "http://finder" });
 * const error = await client.ask({ source: keyOf(1), destination: keyOf(2) }).catch((error) => error);
 * assert(hasCode(error, "route/not-found"));
 * await http.close();
 * await discovery.close();
 * ```
 *
 * @param deps `{ ...runtime, url }` fits
 */
export function createRouteFinderClient(deps: ServiceClientDeps): RouteFinderClient {
  const send = createServiceClient(deps);
  const headers = { "content-type": "application/json" };

  const findByHops = async (options: FindRoutesOptions): Promise<Hop[][][]> => {
    const { pairs, minHops, maxHops, signal } = options;
    const asked = pairs.map(([source, destination]) => ({ source, destination }));
    const body = formatQuery({ pairs: asked, minHops, maxHops });
    const answer = await send({ method: "POST", path: ROUTES_PATH, headers, body, signal });
    if (answer.status !== 200) throw errorOf(answer);
    const json = parseJson(answer.text);
    return asked.map((pair) => {
      const routes = decodeRoutes(isJsonObject(json) ? json[formatPair(pair)] : undefined);
      if (routes === undefined || !routes.every((route) => isRouteOf(route, pair))) throw badAnswer();
      return routes;
    });
  };

  const post = async <T>(
    query: RouteQuery,
    { path, schema, signal }: { path: string; schema: v.GenericSchema<unknown, T>; signal: AbortSignal | undefined },
  ): Promise<T> => {
    const answer = await send({ method: "POST", path, headers, body: JSON.stringify(query), signal });
    // Paths that it does not know, v1.3 answers in plain text.
    if ([404, 405].includes(answer.status) && JsonObject.parse(answer.text) instanceof Fault) {
      throw new UnavailableError("route-finder/too-old", "Ask the route finder: it knows no other measures than hops");
    }
    if (answer.status !== 200) throw errorOf(answer);
    const json = parseJson(answer.text);
    const result = v.safeParse(schema, json instanceof Fault ? undefined : JSON.parse(answer.text));
    if (!result.success) throw badAnswer();
    return result.output;
  };

  const ask: RouteFinderClient["ask"] = async (query, { signal } = {}) => {
    const answer = await post(query, { path: V2_PATHS.routes, schema: answerSchema, signal });
    if (!answer.routes.every(({ hops }) => isRouteOf(hops, query))) throw badAnswer();
    return answer;
  };

  return {
    findRoutes: async (options) => {
      const { pairs, minHops, maxHops, constraints, signal } = options;
      if (constraints === undefined || !isBeyondHops(constraints)) return await findByHops(options);
      return await Promise.all(pairs.map(async ([source, destination]) => {
        const { routes } = await ask({ ...constraints, source, destination, minHops, maxHops }, { signal });
        return routes.map(({ hops }) => [...hops]);
      }));
    },
    ask,
    explain: async (query, { signal } = {}) => {
      const { candidates } = await post(query, { path: V2_PATHS.explain, schema: candidatesSchema, signal });
      if (!candidates.every(({ hops }) => isRouteOf(hops, query))) throw badAnswer();
      return candidates;
    },
  };
}

function decodeRoutes(json: Json | undefined): Hop[][] | undefined {
  if (!Array.isArray(json) || json.length === 0) return undefined;
  const routes = json.map(decodeRoute);
  return routes.every((route) => route !== undefined) ? routes : undefined;
}

function decodeRoute(json: Json): Hop[] | undefined {
  if (json === null) return [];
  if (!Array.isArray(json)) return undefined;
  const hops = json.map(decodeHop);
  return hops.every((hop) => hop !== undefined) ? hops : undefined;
}

function decodeHop(json: Json): Hop | undefined {
  const object = JsonObject.of(json);
  if (object instanceof Fault) return undefined;
  const transportId = parseTransportId(object.string("tpid"));
  const [from, to] = [object.publicKey("from"), object.publicKey("to")];
  return transportId === undefined || object.fault !== undefined ? undefined : { transportId, from, to };
}

/** Does the route lead from the source to the destination, hop by hop? */
function isRouteOf(
  route: readonly Hop[],
  pair: { readonly source: PublicKey; readonly destination: PublicKey },
): boolean {
  let at = pair.source;
  for (const hop of route) {
    if (hop.from !== at) return false;
    at = hop.to;
  }
  return at === pair.destination;
}

function errorOf({ status, text }: ServiceAnswer): SkywireError {
  const body = JsonObject.parse(text);
  const message = body instanceof JsonObject ? body.object("error")?.string("message") ?? "" : "";
  const details = { status, message };
  if (status === 404) {
    return new UnavailableError("route/not-found", `Ask the route finder: ${message || "no route"}`, { details });
  }
  if (status >= 500) {
    return new UnavailableError("route-finder/failed", `Ask the route finder: ${message || status}`, { details });
  }
  return new RefusedError("route-finder/refused", `Ask the route finder: ${message || status}`, { details });
}

function badAnswer(): ProtocolError {
  return new ProtocolError("route-finder/bad-answer", "Read the answer of the route finder");
}
