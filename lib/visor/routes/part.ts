/**
 * Paths through the network: finds and explains them, measures them, and lets others measure those that end here.
 * Tested in tests/visor/control/api_test.ts.
 */

import { BENCH_PORT, type BenchResult, runBench, serveBench } from "../../apps/mod.ts";
import {
  explainDial,
  type PingOptions,
  pingPeer,
  type PingResult,
  type Router,
  type RuleSummary,
} from "../../routing/mod.ts";
import type { MessagingClient } from "../../messaging/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { RouteConstraints, RouteFinderClient, RouteQuery } from "../../services/route_finder/mod.ts";
import type { TransportTable } from "../../transport/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import type { AutomaticTransports } from "../transports/automatic.ts";
import { whileOnline } from "../online.ts";
import { candidateViewOf, type RouteCandidateView, type RouteView, routeViewOf } from "./view.ts";

/** How long to measure in each direction unless told, s. */
const BENCH_SECONDS = 3;

/** What the route of a measurement must satisfy, and how long to measure. */
export interface VisorBenchOptions extends RouteConstraints {
  /** How long to measure in each direction, s, 0.1–60; default 3. */
  readonly seconds?: number;
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal;
}

/** What routes must satisfy, and how many to find. */
export interface FindOptions extends Omit<RouteQuery, "source" | "destination"> {
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal;
}

/** What routes are made of. */
export interface RoutesDeps {
  readonly runtime: Runtime;
  readonly localKey: PublicKey;
  readonly router: Router;
  readonly routeFinder: RouteFinderClient;
  readonly table: Pick<TransportTable, "list">;
  readonly messaging: Pick<MessagingClient, "sessions">;
  readonly automatic: Pick<AutomaticTransports, "whyRelayed">;
}

/** See the top of the file. Disposing stops answering those who measure. */
export class RoutesPart implements AsyncDisposable {
  readonly #deps: RoutesDeps;
  readonly #benchPort: { close(): void };
  readonly #benches: Promise<void>;

  constructor(deps: RoutesDeps) {
    this.#deps = deps;
    const port = deps.router.listen(BENCH_PORT);
    this.#benchPort = port;
    this.#benches = serveBench(port, deps.runtime);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#benchPort.close();
    await this.#benches;
  }

  async find(remote: PublicKey, { signal, ...constraints }: FindOptions = {}): Promise<RouteView[]> {
    const { localKey, routeFinder } = this.#deps;
    const { routes } = await routeFinder.ask({ ...constraints, source: localKey, destination: remote }, { signal });
    return routes.map(routeViewOf);
  }

  async explain(remote: PublicKey, { signal, ...constraints }: FindOptions = {}): Promise<RouteCandidateView[]> {
    const { localKey, routeFinder, table: transports, automatic } = this.#deps;
    const query = { ...constraints, source: localKey, destination: remote };
    const candidates = await explainDial(query, { routeFinder, transports, signal });
    const whyRelayed = automatic.whyRelayed(remote);
    return candidates.map(candidateViewOf).map((view) =>
      whyRelayed !== undefined && view.visors.length === 2
        ? { ...view, reason: `${view.reason}; there is no TCP transport: ${whyRelayed}` }
        : view
    );
  }

  rules(): RuleSummary[] {
    return this.#deps.router.rules();
  }

  ping(remote: PublicKey, { signal, ...options }: PingOptions = {}): Promise<PingResult> {
    return this.#whileOnline((signal) => pingPeer(this.#deps.router, remote, { ...options, signal }), signal);
  }

  bench(
    remote: PublicKey,
    { seconds = BENCH_SECONDS, signal, ...constraints }: VisorBenchOptions = {},
  ): Promise<BenchResult> {
    const { runtime: { clock }, router } = this.#deps;
    return this.#whileOnline((signal) =>
      runBench({
        durationMs: seconds * 1000,
        clock,
        dial: (port) => router.dial(remote, port, { ...constraints, signal }),
        signal,
      }), signal);
  }

  #whileOnline<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { runtime: { timers }, messaging } = this.#deps;
    return whileOnline(work, { messaging, timers, signal });
  }
}
