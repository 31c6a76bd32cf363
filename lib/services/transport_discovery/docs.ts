/** What the description of the API says of each route (transports.md §6.2–6.7, and `api.ts` for what is ours). */

import * as v from "valibot";
import { described, keySchema, type RouteDoc, uuidSchema } from "../http/mod.ts";
import { REMOVED } from "./api.ts";

/** `{"error"}` */
export const errorSchema: v.GenericSchema = v.object({ error: v.string() });

/** v1.3 sends its JSON so. */
const TEXT_TYPE = "text/plain";

const edges = described(v.strictTuple([keySchema, keySchema]), "In ascending order");

const entrySchema = v.object({
  t_id: uuidSchema,
  edges,
  type: described(v.string(), "`stcp`, `stcpr`, `dmsg`, …"),
  label: v.string(),
});

const signedSchema = v.array(v.object({
  entry: entrySchema,
  signatures: described(v.strictTuple([v.string(), v.string()]), "Of the edges, in their order; zeros: not signed"),
}));

/** v1.3 writes an empty list so. */
const entriesSchema = v.nullable(v.array(entrySchema));

const notNegative = v.pipe(v.number(), v.minValue(0));

const figures = {
  latencyMs: v.optional(described(notNegative, "There and back")),
  throughputMBps: v.optional(described(notNegative, "The most that was seen in one direction")),
  resetsPerHour: v.optional(described(notNegative, "How often its link was lost in the last hour")),
};

const mapSchema = v.object({
  id: uuidSchema,
  edges,
  type: v.string(),
  label: v.string(),
  status: described(v.picklist(["working", "not-working", "unknown"]), "What both edges together say"),
  since: v.optional(described(v.string(), "ISO 8601")),
  ...figures,
});

const viewSchema = v.object({
  edge: keySchema,
  status: v.picklist(["working", "not-working"]),
  since: described(v.string(), "ISO 8601"),
  toldAt: described(v.string(), "ISO 8601"),
  ...figures,
});

const badId = { 400: "The path holds no transport id" };
const notFound = { 404: "There is no such transport, or it does not work" };

/** By route. */
export const DOCS = {
  register: {
    summary: "Register transports, of each of which the caller is an edge",
    access: "signed",
    body: signedSchema,
    answers: { 201: { text: "The entries again", json: v.nullable(signedSchema), type: TEXT_TYPE } },
    refusals: {
      400: "The body is no JSON, or an entry is false",
      403: "The caller is no edge of an entry",
      500: "The body is no list of entries, or the service failed",
    },
  },
  byId: {
    summary: "A transport",
    path: "/transports/id:{id}",
    access: "signed",
    answers: { 200: { text: "Its entry", json: entrySchema, type: TEXT_TYPE } },
    refusals: { ...badId, ...notFound },
  },
  deregister: {
    summary: "Remove a transport of which the caller is an edge",
    path: "/transports/id:{id}",
    access: "signed",
    answers: { 200: { text: `\`${REMOVED}\``, type: TEXT_TYPE } },
    refusals: { ...badId, 403: "The caller is no edge of it", 404: "There is no such transport" },
  },
  byEdge: {
    summary: "The transports of a visor that are not known to be broken",
    path: "/transports/edge:{edge}",
    access: "signed",
    answers: { 200: { text: "Their entries", json: entriesSchema, type: TEXT_TYPE } },
    refusals: { 400: "The path holds no public key", ...notFound },
  },
  all: {
    summary: "All transports that are not known to be broken",
    query: { selfTransports: "`hide`: without those that lead from a visor to itself" },
    answers: { 200: { text: "Their entries", json: entriesSchema, type: TEXT_TYPE } },
  },
  report: {
    summary: "Say how transports do of which the caller is an edge",
    access: "signed",
    body: v.object({
      statuses: v.array(v.object({
        t_id: uuidSchema,
        working: v.boolean(),
        lastsMs: described(notNegative, "For how long it has been so"),
        ...figures,
      })),
    }),
    answers: {
      200: {
        text: "The transports that are not listed as the caller's",
        json: v.object({ unlisted: v.array(uuidSchema) }),
      },
    },
    refusals: { 400: "The body is no report" },
  },
  map: {
    summary: "All transports, with their status",
    answers: { 200: { text: "Transports", json: v.object({ transports: v.array(mapSchema) }) } },
  },
  mapTransport: {
    summary: "A transport, with what each edge says of it",
    answers: { 200: { text: "The transport", json: v.object({ ...mapSchema.entries, views: v.array(viewSchema) }) } },
    refusals: { ...badId, 404: "There is no such transport" },
  },
  strikeOut: {
    summary: "Strike out transports, for network monitors",
    access: "monitor",
    body: v.array(uuidSchema),
    answers: {
      200: { text: "Done", json: v.null() },
      400: {
        text:
          "A line of JSON for each text that is no id, then `null`; without body: the signature or the list is none",
        type: TEXT_TYPE,
      },
      403: { text: "Not from a monitor" },
    },
  },
  statuses: { summary: "Of v1.3 and older; not in use", answers: { 410: { text: "Gone" } } },
  changes: {
    summary: "Follow the map: a snapshot of it, then its changes",
    query: { since: "The id of the last event seen; as good as the header `Last-Event-ID`" },
    answers: {
      200: { text: "Events `snapshot` and `changes`, see api.ts beside the source", type: "text/event-stream" },
    },
  },
  position: {
    summary: "How far the discovery is: who has followed the map to there knows all that was registered before",
    answers: { 200: { text: "The position, as the id of an event", json: v.object({ position: v.string() }) } },
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
