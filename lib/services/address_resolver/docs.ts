/** What the description of the API says of each route (transports.md §7.1–7.5). */

import * as v from "valibot";
import { described, keySchema, type RouteDoc } from "../http/mod.ts";

/** `{"error"}` */
export const errorSchema: v.GenericSchema = v.object({ error: v.string() });

const localSchema = v.object({
  port: described(v.string(), "Where the visor listens, 1–65535"),
  addresses: described(
    v.nullable(v.array(v.string())),
    "IP addresses of the visor; that of the request must be among them",
  ),
});

const visorSchema = v.object({
  ...localSchema.entries,
  remote_addr: described(v.string(), "The address that the resolver saw; with a port, or `port` goes with it"),
  is_local: v.optional(described(v.boolean(), "Are `addresses` to be tried first?")),
});

/** By route. */
export const DOCS = {
  bind: {
    summary: "Say where the caller accepts TCP transports; holds for 16 minutes",
    access: "signed",
    body: localSchema,
    answers: { 200: { text: "Done. Nothing was done, and the nonce not counted, when the body cannot be read" } },
    refusals: { 400: "The address is not public, or not among those of the body; or the port is none" },
  },
  unbind: {
    summary: "Say that the caller does not accept TCP transports any more",
    access: "signed",
    body: v.object({}),
    answers: { 200: { text: "Done" } },
  },
  resolve: {
    summary: "Where a visor accepts transports",
    path: "/resolve/{type}/{key}",
    access: "signed",
    answers: {
      200: { text: "There", json: visorSchema },
      400: { text: "The path holds no public key" },
      404: { text: "That is not known" },
    },
  },
  list: {
    summary: "The keys of all visors that accept transports, by type",
    answers: { 200: { text: "Types without visors are left out", json: v.record(v.string(), v.array(keySchema)) } },
  },
  deregister: {
    summary: "Strike out visors, for network monitors",
    path: "/deregister/{type}",
    access: "monitor",
    body: v.array(keySchema),
    answers: {
      200: { text: "Done", json: v.null() },
      400: { text: "The signature, the type, a key or the list cannot be read" },
      403: { text: "Not from a monitor" },
    },
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
