/**
 * A route finder without a service: it follows the map itself and searches in its own process. Where a service is used,
 * it steps in as long as that does not answer. Tested in tests/paths/query_test.ts.
 */

import { describeError, hasCode, ProtocolError, RefusedError, UnavailableError } from "../../errors/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import type { TransportFeed } from "../transport_discovery/mod.ts";
import { isBeyondHops, type RouteFinderClient } from "./client.ts";
import { explainRoutes } from "../../paths/explain.ts";
import { ANSWER_WITHIN_MS, type Budgets, endWithin, EXPLAIN_WITHIN_MS } from "../../paths/budget.ts";
import { createFollower, type Follower } from "./follower.ts";
import type { TransportGraph } from "../../paths/graph.ts";
import { answerQuery, findRoutes } from "../../paths/answer.ts";

/** How long a question waits for the map, ms. */
const MAP_WITHIN_MS = 5_000;

/** What a local route finder is made of. */
export interface LocalRouteFinderDeps {
  /** Time, randomness and the log. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  /** The map. */
  readonly feed: TransportFeed;
}

/** A route finder in the process of who asks it. */
export interface LocalRouteFinder extends RouteFinderClient, AsyncDisposable {}

/** Makes one. It follows the map from the first question on, until it is disposed of. */
export function createLocalRouteFinder({ runtime, feed }: LocalRouteFinderDeps): LocalRouteFinder {
  let following: Follower | undefined;
  const within = (ms: number): Budgets => endWithin(ms, runtime.clock);
  const search = async <T>(work: (graph: TransportGraph) => T, signal: AbortSignal | undefined): Promise<T> => {
    const follower = following ??= createFollower({ runtime, feed });
    await withTimeout(() => follower.ready, {
      timers: runtime.timers,
      ms: MAP_WITHIN_MS,
      code: "route-finder/no-map",
      message: "Find routes: read the map from the transport discovery",
      signal,
    });
    try {
      return await follower.answer(work);
    } catch (error) {
      throw asAnswered(error);
    }
  };
  return {
    findRoutes: ({ pairs, minHops, maxHops, constraints, signal }) =>
      search((graph) => {
        if (constraints === undefined || !isBeyondHops(constraints)) {
          const asked = pairs.map(([source, destination]) => ({ source, destination }));
          const found = findRoutes(graph, { pairs: asked, minHops, maxHops }, within(ANSWER_WITHIN_MS));
          return found.map((routes) => routes.map((route) => [...route]));
        }
        return pairs.map(([source, destination]) => {
          const { routes } = answerQuery(
            graph,
            { ...constraints, source, destination, minHops, maxHops },
            within(ANSWER_WITHIN_MS),
          );
          return routes.map(({ hops }) => [...hops]);
        });
      }, signal),
    ask: (query, { signal } = {}) => search((graph) => answerQuery(graph, query, within(ANSWER_WITHIN_MS)), signal),
    explain: (query, { signal } = {}) =>
      search((graph) => explainRoutes(graph, query, within(EXPLAIN_WITHIN_MS)), signal),
    [Symbol.asyncDispose]: async () => await following?.[Symbol.asyncDispose](),
  };
}

/** Asks a finder, and a local one instead whenever that does not answer or does not know the question. */
export function createFallbackRouteFinder(
  deps: LocalRouteFinderDeps & { readonly finder: RouteFinderClient },
): LocalRouteFinder {
  const { finder, runtime } = deps;
  let local: LocalRouteFinder | undefined;
  const orLocal = async <T>(ask: (finder: RouteFinderClient) => Promise<T>): Promise<T> => {
    try {
      const answer = await ask(finder);
      await dropLocal();
      return answer;
    } catch (error) {
      if (!isNoAnswer(error)) throw error;
      if (local === undefined) runtime.log.warn("route-finder-away", { error: describeError(error) });
      local ??= createLocalRouteFinder(deps);
      return await ask(local);
    }
  };
  /** The map costs memory and a connection: not kept when it is not needed. */
  const dropLocal = async (): Promise<void> => {
    const unused = local;
    local = undefined;
    await unused?.[Symbol.asyncDispose]();
  };
  return {
    findRoutes: (options) => orLocal((its) => its.findRoutes(options)),
    ask: (query, options) => orLocal((its) => its.ask(query, options)),
    explain: (query, options) => orLocal((its) => its.explain(query, options)),
    [Symbol.asyncDispose]: dropLocal,
  };
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof UnavailableError && !hasCode(error, "route/not-found");
}

/** What the client of a service would say. */
function asAnswered(error: unknown): unknown {
  if (error instanceof ProtocolError && hasCode(error, "route-finder/bad-request")) {
    return new RefusedError("route-finder/refused", `Find routes: ${error.message}`);
  }
  if (hasCode(error, "route-finder/no-route") || hasCode(error, "route-finder/unreachable")) {
    const message = error instanceof Error ? error.message : "no route";
    return new UnavailableError("route/not-found", `Find routes: ${message}`, { details: { message } });
  }
  return error;
}
