/**
 * The HTTP API of the route finder (routing.md §7.2):
 *
 * ```
 * POST /routes   {"Edges":["<source>:<destination>", …],"Opts":{"MinHops":1,"MaxHops":50}}
 * 200            {"<source>:<destination>":[[{"TpID","From","To"}, …], …]}     names in order, the shortest route first
 * 400, 404, 503  {"error":{"message","code"}}
 * ```
 *
 * Tested in tests/services/route_finder/vectors_test.ts.
 */

import { ProtocolError } from "../../errors/mod.ts";
import type { Path, PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { isJsonObject, type Json, parseJson } from "../../wire/go_json.ts";
import { type ErrorFormat, goKindOf, goSyntaxMessage, parseGoKey } from "../http/mod.ts";
import type { PairsQuery, RouteEnds } from "../../paths/answer.ts";

/** The path below the base URL. */
export const ROUTES_PATH = "/routes";

/** The largest body, bytes. */
export const MAX_BODY_BYTES = 65_536;

/** Pairs in one question; v1.3 visors ask for two. */
const MAX_PAIRS = 64;

/** The longest text of a pair is 66 + 1 + 66. */
const KEY_LENGTH = 66;

const MAX_UINT16 = 0xffff;

/** The form of errors. Codes without text: the error says it. */
export const ERROR_FORMAT: ErrorFormat = {
  contentType: "application/json",
  known: {
    "route-finder/bad-request": { status: 400 },
    "route-finder/no-route": { status: 404 },
    "route-finder/unreachable": { status: 404 },
    "route-finder/no-map": { status: 503, message: "the transport discovery was not reached yet" },
  },
  body: (code, message) => JSON.stringify({ error: { message, code } }),
};

/**
 * Reads a question as v1.3 does: any case of names, unknown ones ignored; no options mean no hops.
 * @throws {ProtocolError} `route-finder/bad-request`, with the text of v1.3
 */
export function parseQuery(text: string): PairsQuery {
  const json = parseJson(text);
  if (json instanceof Fault) throw badRequest(goSyntaxMessage(text));
  if (json !== null && !isJsonObject(json)) throw wrongKind(json, "Go value of type rfclient.FindRoutesRequest");
  const edges = memberOf(json, "edges"), options = memberOf(json, "opts");
  if (edges !== null && !Array.isArray(edges)) {
    throw wrongKind(edges, "Go struct field FindRoutesRequest.Edges of type []routing.PathEdges");
  }
  if (options !== null && !isJsonObject(options)) {
    throw wrongKind(options, "Go struct field FindRoutesRequest.Opts of type rfclient.RouteOptions");
  }
  if ((edges?.length ?? 0) > MAX_PAIRS) throw badRequest(`more than ${MAX_PAIRS} edges`);
  const pairs = new Map<string, RouteEnds>();
  for (const pair of (edges ?? []).map(parsePair)) {
    const name = formatPair(pair);
    // The ping of v1.3 asks for its loop there and back, which is the same pair twice (routing.md §8.4).
    pairs.set(name, pairs.has(name) && pair.source === pair.destination ? { ...pair, isLoop: true } : pair);
  }
  return { pairs: [...pairs.values()], minHops: hopsOf(options, "MinHops"), maxHops: hopsOf(options, "MaxHops") };
}

/** Writes a question. */
export function formatQuery({ pairs, minHops, maxHops }: PairsQuery): string {
  return JSON.stringify({ Edges: pairs.map(formatPair), Opts: { MinHops: minHops, MaxHops: maxHops } });
}

/** `<source>:<destination>` */
export function formatPair({ source, destination }: RouteEnds): string {
  return `${source}:${destination}`;
}

/** Writes the answer. */
export function formatRoutes(pairs: readonly RouteEnds[], routes: readonly (readonly Path[])[]): string {
  const members = pairs.map((pair, i) => `"${formatPair(pair)}":[${routes[i]?.map(formatRoute).join()}]`);
  return `{${members.sort().join()}}`;
}

function formatRoute(route: Path): string {
  if (route.length === 0) return "null";
  const hops = route.map(({ transportId, from, to }) => `{"TpID":"${transportId}","From":"${from}","To":"${to}"}`);
  return `[${hops.join()}]`;
}

/** The character between the keys may be any. */
function parsePair(json: Json): RouteEnds {
  if (typeof json !== "string") {
    throw wrongKind(json, "Go struct field FindRoutesRequest.Edges of type routing.PathEdges");
  }
  const source = parseKey(json.slice(0, KEY_LENGTH));
  // v1.3 crashes here.
  if (json.length <= KEY_LENGTH) throw badRequest("Invalid public key length");
  return { source, destination: parseKey(json.slice(KEY_LENGTH + 1)) };
}

function parseKey(text: string): PublicKey {
  const key = parseGoKey(text);
  if (key instanceof Fault) throw badRequest(key.message);
  return key;
}

function hopsOf(options: Json, name: "MinHops" | "MaxHops"): number {
  const value = memberOf(options, name.toLowerCase());
  if (value === null) return 0;
  if (typeof value === "bigint" && value >= 0n && value <= BigInt(MAX_UINT16)) return Number(value);
  const shown = typeof value === "bigint" || typeof value === "number" ? `number ${value}` : goKindOf(value);
  throw badRequest(`json: cannot unmarshal ${shown} into Go struct field RouteOptions.Opts.${name} of type uint16`);
}

/** A member by its name in lower case; the last one of several; null when there is none. */
function memberOf(json: Json, name: string): Json {
  if (!isJsonObject(json)) return null;
  return Object.entries(json).findLast(([its]) => its.toLowerCase() === name)?.[1] ?? null;
}

function wrongKind(json: Json, wanted: string): ProtocolError {
  return badRequest(`json: cannot unmarshal ${goKindOf(json)} into ${wanted}`);
}

function badRequest(message: string): ProtocolError {
  return new ProtocolError("route-finder/bad-request", message);
}
