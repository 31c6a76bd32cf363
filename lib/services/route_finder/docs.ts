/** What the description of the API says of the path of v1.3 (routing.md §7.2); those of our own are in `http_v2.ts`. */

import * as v from "valibot";
import { described, integer, keySchema, type RouteDoc, uuidSchema } from "../http/mod.ts";

/** `{"error":{"message","code"}}` */
export const errorSchema: v.GenericSchema = v.object({ error: v.object({ message: v.string(), code: integer }) });

const pair = "`<source>:<destination>`";

const route = described(
  v.nullable(v.array(v.object({ TpID: uuidSchema, From: keySchema, To: keySchema }))),
  "Its hops from the source on; `null`: the source is the destination",
);
const hops = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)));

/** `POST /routes` */
export const ROUTES_DOC: RouteDoc = {
  summary: "Find the shortest routes between visors, up to three for each pair",
  body: v.object({
    Edges: v.optional(v.nullable(v.array(described(v.string(), pair)))),
    Opts: v.optional(described(v.nullable(v.object({ MinHops: hops, MaxHops: hops })), "Without: no hops")),
  }),
  answers: {
    200: { text: `Routes by pair, ${pair}, the shortest first`, json: v.record(v.string(), v.array(route)) },
  },
  refusals: {
    400: "The question cannot be read",
    404: "There is no route for a pair",
    503: "The map is not there yet",
  },
};
