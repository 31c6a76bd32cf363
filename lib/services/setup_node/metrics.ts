/** Figures of a setup node. Tested in tests/services/setup_node/setup_node_test.ts. */

import { SkywireError } from "../../errors/mod.ts";
import type { Counter, Gauge, Histogram, Metrics } from "../../runtime/mod.ts";

/** Seconds: a set-up is three rounds of calls, so 10 ms on one site and 1 s around the world; 30 is the limit. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** See {@link setupNodeMetrics}. */
export interface SetupNodeMetrics {
  /** Routes that were set up. */
  readonly done: Counter;
  /** Counts a request that failed, by its reason. */
  failed(error: unknown): void;
  /** How long requests took, either way. */
  readonly seconds: Histogram;
  /** Requests being worked on. */
  readonly active: Gauge;
}

/** Names the figures. */
export function setupNodeMetrics(metrics: Metrics): SetupNodeMetrics {
  return {
    done: metrics.counter("skywire_setup_routes_total", "Routes that were set up"),
    failed: (error) =>
      metrics.counter(
        "skywire_setup_failures_total",
        "Route requests that failed, by reason; compare with routes set up",
        { labels: { reason: reasonOf(error) } },
      ).add(),
    seconds: metrics.histogram("skywire_setup_request_seconds", "Time until a request was answered, either way", {
      buckets: SECONDS,
    }),
    active: metrics.gauge("skywire_setup_active_requests", "Route requests being worked on"),
  };
}

/** Our own codes are a small fixed set; what others call theirs is not told apart. */
function reasonOf(error: unknown): string {
  const [, reason] = error instanceof SkywireError ? /^setup\/(.+)$/.exec(error.code) ?? [] : [];
  return reason ?? "other";
}
