/** Figures of a setup node. */

import type { Counter, Gauge, Metrics } from "../../runtime/mod.ts";

/** See {@link setupNodeMetrics}. */
export interface SetupNodeMetrics {
  /** Route requests that were answered, either way. */
  readonly requests: Counter;
  /** Those of them that failed; compare with `requests`. */
  readonly failures: Counter;
  /** Request time in all, s; divided by `requests`, the mean. */
  readonly seconds: Counter;
  /** Requests being worked on. */
  readonly active: Gauge;
}

/** Names the figures. */
export function setupNodeMetrics(metrics: Metrics): SetupNodeMetrics {
  return {
    requests: metrics.counter("skywire_setup_requests_total", "Route requests that were answered, either way"),
    failures: metrics.counter("skywire_setup_failures_total", "Route requests that failed; compare with requests"),
    seconds: metrics.counter("skywire_setup_request_seconds_total", "Time spent on requests; by requests, the mean"),
    active: metrics.gauge("skywire_setup_active_requests", "Route requests being worked on"),
  };
}
