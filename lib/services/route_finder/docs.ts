/** What the description of the API says of the path of v1.3 (routing.md §7.2); those of our own are in `http_v2.ts`. */

import { z } from "zod";
import { keySchema, type RouteDoc, uuidSchema } from "../http/mod.ts";

/** `{"error":{"message","code"}}` */
export const errorSchema: z.ZodType = z.object({ error: z.object({ message: z.string(), code: z.int() }) });

const pair = "`<source>:<destination>`";

const route = z.array(z.object({ TpID: uuidSchema, From: keySchema, To: keySchema })).nullable()
  .describe("Its hops from the source on; `null`: the source is the destination");

/** `POST /routes` */
export const ROUTES_DOC: RouteDoc = {
  summary: "Find the shortest routes between visors, up to three for each pair",
  body: z.object({
    Edges: z.array(z.string().describe(pair)).nullable().optional(),
    Opts: z.object({
      MinHops: z.int().min(0).max(65_535).optional(),
      MaxHops: z.int().min(0).max(65_535).optional(),
    }).nullable().optional().describe("Without: no hops"),
  }),
  answers: {
    200: { text: `Routes by pair, ${pair}, the shortest first`, json: z.record(z.string(), z.array(route)) },
  },
  refusals: {
    400: "The question cannot be read",
    404: "There is no route for a pair",
    503: "The map is not there yet",
  },
};
