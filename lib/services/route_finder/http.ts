/**
 * The route finder over HTTP: from requests to the search, and from routes to answers. Tested in
 * tests/services/route_finder/vectors_test.ts.
 */

import type { Clock, Timers } from "../../runtime/mod.ts";
import { bucketOf, type DocumentedRoute, JSON_TYPE, readBody, TextResponse } from "../http/mod.ts";
import { formatRoutes, MAX_BODY_BYTES, parseQuery, ROUTES_PATH } from "./api.ts";
import { ROUTES_DOC } from "./docs.ts";
import { ANSWER_WITHIN_MS, endWithin } from "../../paths/budget.ts";
import type { Follower } from "./follower.ts";
import type { QuestionTurns } from "./question_turns.ts";
import { findRoutes } from "../../paths/answer.ts";

/** What routes that answer questions need. */
export interface QuestionRouteDeps {
  readonly follower: Follower;
  /** Shared by all of them. */
  readonly turns: QuestionTurns;
  readonly timers: Timers;
  readonly clock: Clock;
}

/** The route that answers questions, from the map as it is at that moment. */
export function routesRoute(
  deps: QuestionRouteDeps,
): DocumentedRoute {
  const { follower, turns, timers, clock } = deps;
  return {
    method: "POST",
    path: ROUTES_PATH,
    doc: ROUTES_DOC,
    handle: async ({ request, remote }) => {
      const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, timers });
      const query = parseQuery(new TextDecoder().decode(body));
      const routes = await follower.answer((graph) =>
        turns.run(bucketOf(remote), () => findRoutes(graph, query, endWithin(ANSWER_WITHIN_MS, clock)))
      );
      return new TextResponse(formatRoutes(query.pairs, routes), { headers: JSON_TYPE });
    },
  };
}
