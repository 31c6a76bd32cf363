/** `visor.routes`: routes through the network, found, explained and measured. Tested in tests/visor/embedding_test.ts. */

import type { BenchResult } from "../../apps/mod.ts";
import type { PingOptions, PingResult, RuleSummary } from "../../routing/mod.ts";
import type { Capability } from "../capability.ts";
import { routeRoutes } from "./api.ts";
import { type FindOptions, RoutesPart, type VisorBenchOptions } from "./part.ts";
import type { RouteCandidateView, RouteView } from "./view.ts";

/**
 * The routes of a visor, as `visor.routes`. A `remote` is a public key, its first 8 digits or more, or a name; otherwise a
 * call throws {RefusedError} `visor/unknown-key`, `visor/unknown-name` or `visor/ambiguous-key`.
 */
export interface VisorRoutes {
  /**
   * Asks for routes to a visor.
   * @returns at least one route, the best first
   * @throws {UnavailableError} `route/not-found` when no route satisfies the options
   * @throws the reason of `options.signal`
   */
  find(remote: string, options?: FindOptions): Promise<RouteView[]>;
  /**
   * Shows which routes to a visor there could be, and why a dial would take one and not the others.
   * @returns the chosen route first; none is chosen when each breaks a condition
   * @throws {UnavailableError} `route/not-found` when there is nothing to show
   * @throws the reason of `options.signal`
   */
  explain(remote: string, options?: FindOptions): Promise<RouteCandidateView[]>;
  /** Lists the routing rules that this visor holds. */
  rules(): RuleSummary[];
  /**
   * Sets up a route to a visor and measures round trips over it.
   * @throws as {@link Visor.dial}
   * @throws {UnavailableError} `visor/offline` when this visor has had no messaging session for 1.5 s
   */
  ping(remote: string, options?: PingOptions): Promise<PingResult>;
  /**
   * Sets up a route to a visor and measures its throughput, first from here, then to here.
   * @throws as {@link VisorRoutes.ping}
   * @throws {ProtocolError} `bench/cut` when the other visor is busy or leaves
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
