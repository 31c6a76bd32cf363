/** What the description of the API says of each route (transports.md §7.1–7.5). */

import { z } from "zod";
import { keySchema, type RouteDoc } from "../http/mod.ts";

/** `{"error"}` */
export const errorSchema: z.ZodType = z.object({ error: z.string() });

const localSchema = z.object({
  port: z.string().describe("Where the visor listens, 1–65535"),
  addresses: z.array(z.string()).nullable().describe(
    "IP addresses of the visor; that of the request must be among them",
  ),
});

const visorSchema = localSchema.extend({
  remote_addr: z.string().describe("The address that the resolver saw; with a port, or `port` goes with it"),
  is_local: z.boolean().optional().describe("Are `addresses` to be tried first?"),
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
    body: z.object({}),
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
    answers: { 200: { text: "Types without visors are left out", json: z.record(z.string(), z.array(keySchema)) } },
  },
  deregister: {
    summary: "Strike out visors, for network monitors",
    path: "/deregister/{type}",
    access: "monitor",
    body: z.array(keySchema),
    answers: {
      200: { text: "Done", json: z.null() },
      400: { text: "The signature, the type, a key or the list cannot be read" },
      403: { text: "Not from a monitor" },
    },
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
