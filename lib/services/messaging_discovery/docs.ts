/** What the description of the API says of each route (dmsg.md §6.1, §6.3). */

import * as v from "valibot";
import { described, integer, keySchema, type RouteDoc } from "../http/mod.ts";
import { DONE } from "./api.ts";

/** `{"message","code"}`: errors, and what was done. */
export const errorSchema: v.GenericSchema = v.object({ message: v.string(), code: integer });

const entrySchema = v.object({
  version: v.string(),
  sequence: described(v.number(), "Counts the entries of the key"),
  timestamp: described(v.number(), "Unix time, ns"),
  static: keySchema,
  client: v.optional(
    described(v.object({ delegated_servers: v.nullable(v.array(keySchema)) }), "Where a client is reached"),
  ),
  client_type: v.optional(described(v.string(), "`visor`: it is on the list of visors")),
  server: v.optional(described(
    v.object({
      address: described(v.string(), "host:port"),
      availableSessions: integer,
      serverType: v.optional(v.string()),
    }),
    "Where a server listens",
  )),
  signature: v.optional(described(v.string(), "Of the entry without it, by the key")),
});

const keys = v.array(keySchema);
const undecodable = { 500: "The body is no entry, or the service failed" };
const refusedEntry = { 401: "The signature is not good", 422: "The entry breaks a rule, which the message names" };

const publish: RouteDoc = {
  summary: "Publish a signed entry; it replaces the one before",
  query: {
    timeout: "`true`: the entry of a client expires after 3 minutes",
    removal: "`newer`: only a newer entry removes it, not the same one shown again",
  },
  body: entrySchema,
  answers: { 200: { text: `\`${DONE.created}\` or \`${DONE.updated}\``, json: errorSchema } },
  refusals: { ...undecodable, ...refusedEntry },
};

/** By route. */
export const DOCS = {
  entry: {
    summary: "The entry of a key",
    answers: { 200: { text: "The entry", json: entrySchema } },
    refusals: { 400: "The path holds no public key", 404: "There is none" },
  },
  publish,
  publishAt: { ...publish, summary: "The same; what follows the path is not looked at" },
  remove: {
    summary: "Remove the entry of a key by a newer one, or by the same from the host that published it",
    body: entrySchema,
    answers: { 200: { text: `\`${DONE.removed}\``, json: errorSchema } },
    refusals: { ...undecodable, ...refusedEntry },
  },
  clients: { summary: "The keys of all clients", answers: { 200: { text: "Keys", json: keys } } },
  visors: { summary: "The keys of clients that say they are visors", answers: { 200: { text: "Keys", json: keys } } },
  availableServers: {
    summary: "Servers that take more sessions, those with most of them first",
    answers: { 200: { text: "Their entries, 512 at most", json: v.array(entrySchema) } },
    refusals: { 404: "There is none" },
  },
  allServers: {
    summary: "All servers",
    answers: { 200: { text: "Their entries", json: v.array(entrySchema) } },
    refusals: { 404: "There is none" },
  },
  deregister: {
    summary: "Strike out the entries of keys, for network monitors",
    access: "monitor",
    body: keys,
    answers: {
      200: { text: "Done", json: v.null() },
      403: { text: "Not from a monitor" },
    },
    refusals: { 400: "A key cannot be read; without body: the signature or the list cannot" },
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
