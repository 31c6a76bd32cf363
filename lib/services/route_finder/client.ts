/** The client of the route finder, for any that speaks the v1.3 API. */

import { ProtocolError, RefusedError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import { type Hop, parseTransportId, type PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { type Json, JsonObject, parseJson } from "../../wire/go_json.ts";
import { createServiceClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";
import { formatPair, formatQuery, ROUTES_PATH } from "./api.ts";

/** A question to a route finder. */
export interface FindRoutesOptions {
  /** Source and destination, for each of which routes are wanted; routes of all pairs or none are found. */
  readonly pairs: readonly (readonly [source: PublicKey, destination: PublicKey])[];
  /** 0–65535 */
  readonly minHops: number;
  /** 0–65535 */
  readonly maxHops: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks a route finder. */
export interface RouteFinderClient {
  /**
   * Asks for routes.
   * @returns for each pair its routes, the shortest first, at least one; a route to oneself has no hops
   * @throws {UnavailableError} `route/not-found` when a pair has none within the limits; `http/unreachable`,
   * `http/timeout`, `route-finder/failed`
   * @throws {RefusedError} `route-finder/refused` when it does not understand the question
   * @throws {ProtocolError} `route-finder/bad-answer`
   */
  findRoutes(options: FindRoutesOptions): Promise<Hop[][][]>;
}

/** Makes a client. `{ ...runtime, url }` fits. */
export function createRouteFinderClient(deps: ServiceClientDeps): RouteFinderClient {
  const send = createServiceClient(deps);
  return {
    findRoutes: async ({ pairs, minHops, maxHops, signal }) => {
      const asked = pairs.map(([source, destination]) => ({ source, destination }));
      const answer = await send({
        method: "POST",
        path: ROUTES_PATH,
        headers: { "content-type": "application/json" },
        body: formatQuery({ pairs: asked, minHops, maxHops }),
        signal,
      });
      if (answer.status !== 200) throw errorOf(answer);
      const body = parseJson(answer.text);
      return asked.map((pair) => {
        const routes = decodeRoutes(isObject(body) ? body[formatPair(pair)] : undefined);
        if (routes === undefined || !routes.every((route) => isRouteOf(route, pair))) throw badAnswer();
        return routes;
      });
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

function isObject(json: Json | Fault): json is { readonly [name: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof Fault);
}
