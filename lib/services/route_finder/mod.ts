/**
 * The route finder: answers which transports lead from one visor to another (routing.md §7). It keeps the map of a
 * transport discovery in memory and follows its changes. Speaks the API of v1.3, and answers questions by any measure on
 * paths of its own. A visor can do the same without it. Tested in tests/services/route_finder/vectors_test.ts.
 *
 * @module
 */

import type { Runtime } from "../../runtime/mod.ts";
import { createServiceApp, type HttpService, type ServiceSettings } from "../http/mod.ts";
import type { TransportFeed } from "../transport_discovery/mod.ts";
import { ERROR_FORMAT } from "./api.ts";
import { errorSchema } from "./docs.ts";
import { createFollower } from "./follower.ts";
import { routesRoute } from "./http.ts";
import { queryRoutes } from "./http_v2.ts";
import { QuestionTurns } from "./question_turns.ts";

export { createRouteFinderClient } from "./client.ts";
export type { FindRoutesOptions, RouteFinderClient } from "./client.ts";
export { createFallbackRouteFinder, createLocalRouteFinder } from "./local.ts";
export type { LocalRouteFinder, LocalRouteFinderDeps } from "./local.ts";
export {
  type Figures,
  MEASURABLE,
  type Measurable,
  type Metric,
  METRICS,
  type MetricWeights,
} from "../../paths/figures.ts";
export { DISJOINT, MAX_COUNT } from "../../paths/query.ts";
export type { Disjoint, RatedRoute, RouteConstraints, RouteQuery } from "../../paths/query.ts";
export { rateHops, type RouteAnswer } from "../../paths/answer.ts";
export type { RouteCandidate } from "../../paths/explain.ts";

/** What a route finder needs. */
export interface RouteFinderDeps extends ServiceSettings {
  /** Time, randomness, the log and figures. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">;
  /** Gives the map: the feed of a transport discovery in this process, or `createTransportFeedClient({ ...runtime, url })`. */
  readonly feed: TransportFeed;
}

/** A running route finder. */
export interface RouteFinder extends HttpService {
  /** Resolves when the map is there. Queries before that get status 503. */
  readonly ready: Promise<void>;
  /** Why there has been no map for 10 s or more, in words; undefined when there is one. */
  readonly problem: string | undefined;
}

/**
 * Starts a route finder (routing.md §7). It follows the feed until it is closed.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createTransportDiscovery } from "../transport_discovery/mod.ts";
 * import { createRouteFinder } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const { feed, close } = await createTransportDiscovery({ runtime });
 * const finder = createRouteFinder({ runtime, feed });
 * await finder.ready;
 * const question = new Request("http://localhost/routes", { method: "POST", body: '{"Edges":[]}' });
 * assert(await (await finder.fetch(question)).text() === "{}");
 * await finder.close();
 * await close();
 * ```
 *
 * @returns the service; serve its `fetch`, and close it
 */
export function createRouteFinder(deps: RouteFinderDeps): RouteFinder {
  const { runtime, feed } = deps;
  const { clock, timers } = runtime;
  const follower = createFollower({ runtime, feed });
  const asked = { follower, turns: new QuestionTurns({ clock, timers }), timers, clock };
  const fetch = createServiceApp({
    name: "route-finder",
    title: "Route finder",
    runtime,
    errors: ERROR_FORMAT,
    errorBody: errorSchema,
    routes: [
      routesRoute(asked),
      ...queryRoutes(asked),
    ],
    settings: deps,
  });
  return {
    fetch,
    ready: follower.ready,
    get problem(): string | undefined {
      return follower.problem;
    },
    close: async () => await follower[Symbol.asyncDispose](),
  };
}
