/** The route finder over HTTP: from requests to the search, and from routes to answers. */

import type { Timers } from "../../runtime/mod.ts";
import { type DocumentedRoute, JSON_TYPE, readBody, TextResponse } from "../http/mod.ts";
import { formatRoutes, MAX_BODY_BYTES, parseQuery, ROUTES_PATH } from "./api.ts";
import { ROUTES_DOC } from "./docs.ts";
import type { Follower } from "./follower.ts";
import { findRoutes } from "../../paths/answer.ts";

/** The route that answers questions, from the map as it is at that moment. */
export function routesRoute(deps: { readonly follower: Follower; readonly timers: Timers }): DocumentedRoute {
  const { follower, timers } = deps;
  return {
    method: "POST",
    path: ROUTES_PATH,
    doc: ROUTES_DOC,
    handle: async ({ request }) => {
      const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, timers });
      const query = parseQuery(new TextDecoder().decode(body));
      const routes = await follower.answer((graph) => findRoutes(graph, query));
      return new TextResponse(formatRoutes(query.pairs, routes), { headers: JSON_TYPE });
    },
  };
}
