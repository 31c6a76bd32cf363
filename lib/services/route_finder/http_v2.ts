/** Questions by any measure over HTTP, see `api_v2.ts`. Tested in tests/paths/query_test.ts. */

import { bucketOf, type DocumentedRoute, JSON_TYPE, readBody, TextResponse } from "../http/mod.ts";
import { MAX_BODY_BYTES } from "./api.ts";
import {
  answerSchema,
  candidatesSchema,
  formatAnswer,
  formatCandidates,
  parseRouteQuery,
  querySchema,
  V2_PATHS,
} from "./api_v2.ts";
import { explainRoutes } from "../../paths/explain.ts";
import { ANSWER_WITHIN_MS, endWithin, EXPLAIN_WITHIN_MS } from "../../paths/budget.ts";
import type { QuestionRouteDeps } from "./http.ts";
import type { TransportGraph } from "../../paths/graph.ts";
import { answerQuery } from "../../paths/answer.ts";
import type { RouteQuery } from "../../paths/query.ts";

const REFUSALS = {
  400: "The question cannot be read, or contradicts itself",
  404: "No route is as asked for",
  503: "The map is not there yet",
};

/** The routes that answer them, from the map as it is at that moment. */
export function queryRoutes(
  deps: QuestionRouteDeps,
): readonly DocumentedRoute[] {
  const { follower, turns, timers, clock } = deps;
  type Answer = (graph: TransportGraph, query: RouteQuery) => string;
  const handle = (answer: Answer): DocumentedRoute["handle"] => async ({ request, remote }) => {
    const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, timers });
    const query = parseRouteQuery(new TextDecoder().decode(body));
    const text = await follower.answer((graph) => turns.run(bucketOf(remote), () => answer(graph, query)));
    return new TextResponse(text, { headers: JSON_TYPE });
  };
  return [
    {
      method: "POST",
      path: V2_PATHS.routes,
      doc: {
        summary: "Find the best routes by a measure, under conditions",
        body: querySchema,
        answers: { 200: { text: "The routes, the best first", json: answerSchema } },
        refusals: REFUSALS,
      },
      handle: handle((graph, query) => formatAnswer(answerQuery(graph, query, endWithin(ANSWER_WITHIN_MS, clock)))),
    },
    {
      method: "POST",
      path: V2_PATHS.explain,
      doc: {
        summary: "Explain which route is chosen, and why the others are not",
        body: querySchema,
        answers: {
          200: { text: "Routes that could be, the chosen one first if there is one", json: candidatesSchema },
        },
        refusals: REFUSALS,
      },
      handle: handle((graph, query) =>
        formatCandidates(explainRoutes(graph, query, endWithin(EXPLAIN_WITHIN_MS, clock)))
      ),
    },
  ];
}
