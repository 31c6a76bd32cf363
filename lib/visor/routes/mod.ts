/** `visor.routes`: paths through the network, measured or only looked at. Tested in tests/visor/embedding_test.ts. */

import type { BenchResult } from "../../apps/mod.ts";
import type { PingOptions, PingResult, RuleSummary } from "../../routing/mod.ts";
import type { Capability } from "../capability.ts";
import { routeRoutes } from "./api.ts";
import { type FindOptions, RoutesPart, type VisorBenchOptions } from "./part.ts";
import type { RouteCandidateView, RouteView } from "./view.ts";

/** The routes of a visor, as `visor.routes`. A remote is a public key, its first 8 digits or more, or a name. */
export interface VisorRoutes {
  /**
   * Asks the route finder for routes to a visor, the best first.
   * @throws {UnavailableError} `route/not-found`
   */
  find(remote: string, options?: FindOptions): Promise<RouteView[]>;
  /**
   * Shows which routes to a visor there could be, and why one is chosen and the others are not; the chosen one first. None
   * is chosen when every one breaks a condition.
   * @throws {UnavailableError} `route/not-found` when there is nothing to show
   */
  explain(remote: string, options?: FindOptions): Promise<RouteCandidateView[]>;
  /** All live routing rules. */
  rules(): RuleSummary[];
  /**
   * Sets up a route and measures round trips over it.
   * @throws as {@link Visor.dial}; {UnavailableError} `visor/offline` after 1.5 s without a messaging session
   */
  ping(remote: string, options?: PingOptions): Promise<PingResult>;
  /**
   * Sets up a route and measures its throughput, in both directions one after the other.
   * @throws as {@link VisorRoutes.ping}; {ProtocolError} `bench/cut` when the other visor is busy
   */
  bench(remote: string, options?: VisorBenchOptions): Promise<BenchResult>;
}

/** The capability. */
export const routes: Capability<RoutesPart, VisorRoutes> = {
  makePart: ({ runtime, publicKey, router, routeFinder, table, messaging, automatic }) =>
    new RoutesPart({ runtime, localKey: publicKey, router, routeFinder, table, messaging, automatic }),
  makeFacet: (part, keys) => ({
    find: async (remote, options) => await part.find(await keys.complete(remote), options),
    explain: async (remote, options) => await part.explain(await keys.complete(remote), options),
    rules: () => part.rules(),
    ping: async (remote, options) => await part.ping(await keys.complete(remote), options),
    bench: async (remote, options) => await part.bench(await keys.complete(remote), options),
  }),
  makeRoutes: routeRoutes,
};
