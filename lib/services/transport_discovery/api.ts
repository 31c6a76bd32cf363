/**
 * The HTTP API of the transport discovery (transports.md §6.2–6.7), and what is new in it.
 *
 * | method, path | signed | answers |
 * |---|---|---|
 * | POST `/transports/` | yes | 201 and the entries again |
 * | GET, DELETE `/transports/id:{uuid}` | yes | the entry; `transport deleted` |
 * | GET `/transports/edge:{key}` | yes | entries, or `null` |
 * | GET `/all-transports` | | entries, or `null`; `?selfTransports=hide` |
 * | DELETE `/transports/deregister` | by a monitor | `null` |
 * | POST `/statuses` | | 410: v1.3 does not use it any more |
 *
 * Paths of our own:
 *
 * | method, path | signed | answers |
 * |---|---|---|
 * | GET `/changes` | | a stream of events, see {@link FEED_EVENTS} |
 * | POST `/v2/statuses` | yes | what an edge says of its transports, see `transport_status.ts` in `lib/wire` |
 * | GET `/v2/transports` | | `{"transports":[{"id","type","label","edges","status","since"?,"latencyMs"?,…}]}` |
 * | GET `/v2/transports/{uuid}` | | one of them, with what each edge said: `"views":[{"edge","status","since","toldAt",…}]` |
 *
 * The lists of v1.3 leave out what is known not to work: to its clients, that a transport is listed means that it works.
 * Tested in tests/services/transport_discovery/status_test.ts.
 */

import { ProtocolError } from "../../errors/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { isJsonObject, type Json, parseJson } from "../../wire/go_json.ts";
import {
  decodeSignedEntry,
  decodeTransportEntry,
  formatSignedEntry,
  formatTransportEntry,
  type SignedEntry,
  type TransportEntry,
} from "../../wire/transport_entry.ts";
import type { MapTransport, TransportState } from "../../wire/map_transport.ts";
import { decodeFigures } from "../../wire/transport_status.ts";
import { type ErrorFormat, goKindOf, goSyntaxMessage } from "../http/mod.ts";
import type { ListedTransport, ListedView } from "./logic.ts";

/** Paths below the base URL. */
export const PATHS = {
  /** The slash at the end is required. */
  transports: "/transports/",
  /** Followed by `:` and a UUID. */
  byId: "/transports/id",
  /** Followed by `:` and a key. */
  byEdge: "/transports/edge",
  all: "/all-transports",
  deregister: "/transports/deregister",
  statuses: "/statuses",
  changes: "/changes",
  position: "/v2/position",
  report: "/v2/statuses",
  map: "/v2/transports",
} as const;

/**
 * The events of `/changes`, which says what is there and then what changes:
 *
 * An entry in them may have the optional members `status`, `latencyMs`, `throughputMBps` and `resetsPerHour`.
 *
 * - `snapshot`, data `{"first","last","transports":[entry…]}`: a part of all transports. With the first part a follower
 *   forgets what it knew. Only the last part has an id.
 * - `changes`, data `[{"added":entry} | {"removed":"<uuid>"} …]`, in order. Adding what is known and removing what is
 *   not are possible and mean nothing.
 *
 * A follower that was cut off asks again with the last id, as header `Last-Event-ID` or `?since=`. When that point is not
 * known any more, the stream begins with a snapshot. A comment comes at least every {@link KEEP_ALIVE_MS}.
 */
export const FEED_EVENTS = { snapshot: "snapshot", changes: "changes" } as const;

/** How often a quiet stream says that it lives, ms. */
export const KEEP_ALIVE_MS = 15_000;

/** The last time that ISO 8601 writes with four digits for the year, Unix ms. */
const MAX_UNIX_MS = 253_402_300_799_999;

/** The largest body, bytes: about 120 entries, whose signatures take 60 ms to check. */
export const MAX_BODY_BYTES = 65_536;

/** The answer to a removal. */
export const REMOVED = "transport deleted";

/** The form of errors. Codes without text: the error says it. */
export const ERROR_FORMAT: ErrorFormat = {
  contentType: "text/plain; charset=utf-8",
  known: {
    "transport-discovery/bad-key": { status: 400, message: "public key is invalid" },
    "transport-discovery/bad-id": { status: 400, message: "transport ID is invalid" },
    "transport-discovery/not-found": { status: 404, message: "transport not found" },
    "transport-discovery/syntax": { status: 400 },
    // v1.3 calls what is JSON but no list of entries a failure of its own.
    "transport-discovery/kind": { status: 500 },
    "transport-discovery/false-entry": { status: 400 },
    "transport-discovery/no-edge": { status: 403 },
    "transport-discovery/bad-report": { status: 400 },
  },
  body: (_status, message) => formatError(message),
};

/** `{"error"}` and a newline. */
export function formatError(message: string): string {
  return `${JSON.stringify({ error: message })}\n`;
}

/** A list of entries as v1.3 writes it; an empty one is `null`. */
export function formatEntries(entries: readonly TransportEntry[]): string {
  return entries.length === 0 ? "null\n" : `[${entries.map(formatTransportEntry).join()}]\n`;
}

/** A list of signed entries as v1.3 writes it; `undefined` is `null`. */
export function formatSignedEntries(signed: readonly SignedEntry[] | undefined): string {
  return signed === undefined ? "null\n" : `[${signed.map(formatSignedEntry).join()}]\n`;
}

/**
 * Reads the body of a registration.
 * @returns the entries, unchecked; undefined for `null`, which is as good as an empty list
 * @throws {ProtocolError} `transport-discovery/syntax`, `…/kind`, `…/false-entry`
 */
export function parseSignedEntries(text: string): readonly SignedEntry[] | undefined {
  const json = parseJson(text);
  if (json instanceof Fault) throw new ProtocolError("transport-discovery/syntax", goSyntaxMessage(text));
  if (json === null) return undefined;
  if (!Array.isArray(json)) throw wrongKind(json, "[]*transport.SignedEntry");
  return json.map((item) => {
    if (item !== null && goKindOf(item) !== "object") throw wrongKind(item, "transport.SignedEntry");
    const signed = decodeSignedEntry(item);
    if (!(signed instanceof Fault)) return signed;
    if (signed.code === "transport-entry/incomplete") {
      throw new ProtocolError("transport-discovery/kind", "bad entry format");
    }
    throw new ProtocolError("transport-discovery/false-entry", signed.message);
  });
}

/** The answer of `/v2/transports`. */
export function formatMap(transports: readonly ListedTransport[]): string {
  return `${JSON.stringify({ transports: transports.map(mapMembers) })}\n`;
}

/** The answer of `/v2/transports/{uuid}`. */
export function formatMapTransport(transport: ListedTransport, views: readonly ListedView[]): string {
  const told = views.map(({ edge, isWorking, since, toldAt, ...figures }) => ({
    edge,
    status: isWorking ? "working" : "not-working",
    since: isoTime(since),
    toldAt: isoTime(toldAt),
    ...figures,
  }));
  return `${JSON.stringify({ ...mapMembers(transport), views: told })}\n`;
}

/**
 * Reads the answer of `/v2/transports`.
 * @returns undefined when it is none
 */
export function parseMap(text: string): MapTransport[] | undefined {
  const json = parseJson(text);
  if (json instanceof Fault || !isJsonObject(json) || !Array.isArray(json["transports"])) return undefined;
  const transports = json["transports"].map(decodeMapTransport);
  return transports.every((transport) => transport !== undefined) ? transports : undefined;
}

/** Is it one of the words for a status? */
export function isTransportState(json: Json | undefined): json is TransportState {
  return json === "working" || json === "not-working" || json === "unknown";
}

function mapMembers(transport: ListedTransport): Record<string, unknown> {
  const { id, edges, kind, label, since, ...members } = transport;
  const sinceText = since === undefined ? {} : { since: isoTime(since) };
  return { id, edges, type: kind, label, ...members, ...sinceText };
}

function decodeMapTransport(json: Json): MapTransport | undefined {
  if (!isJsonObject(json)) return undefined;
  const { id, type, label, edges, status } = json;
  const entry = decodeTransportEntry({
    t_id: id ?? null,
    type: type ?? null,
    label: label ?? null,
    edges: edges ?? null,
  });
  const figures = decodeFigures(json);
  if (entry instanceof Fault || figures === undefined || !isTransportState(status)) return undefined;
  const since = typeof json["since"] === "string" ? Date.parse(json["since"]) : NaN;
  return { ...entry, status, ...(Number.isNaN(since) ? {} : { since }), ...figures };
}

/** ISO 8601; the nearest time that can be written so when an edge tells nonsense. */
function isoTime(unixMs: number): string {
  return new Date(Math.max(0, Math.min(MAX_UNIX_MS, unixMs))).toISOString();
}

function wrongKind(json: unknown, wanted: string): ProtocolError {
  return new ProtocolError(
    "transport-discovery/kind",
    `json: cannot unmarshal ${goKindOf(json)} into Go value of type ${wanted}`,
  );
}
