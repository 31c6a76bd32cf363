/** Figures of the router. Tested in tests/sim/setup_test.ts. */

import type { Counter, Gauge, Metrics } from "../runtime/ports.ts";

/** See {@link routerMetrics}. */
export interface RouterMetrics {
  /** Dials begun. */
  readonly dials: Counter;
  /** Dials that gave no connection. */
  readonly failedDials: Counter;
  /** Set-ups or handshakes that failed. */
  readonly failedAttempts: Counter;
  /** Connections of others. */
  readonly accepted: Counter;
  /** Handshakes of others that failed. */
  readonly failedAccepts: Counter;
  /** Legs of sessions that were not taken. */
  readonly refusedLegs: Counter;
  /** Connections that are open. */
  readonly open: Gauge;
}

/** Declares them. */
export function routerMetrics(metrics: Metrics): RouterMetrics {
  return {
    dials: metrics.counter("skywire_route_dials_total", "Dials begun"),
    failedDials: metrics.counter(
      "skywire_route_failed_dials_total",
      "Dials that gave no connection; compare with dials",
    ),
    failedAttempts: metrics.counter(
      "skywire_route_failed_attempts_total",
      "Set-ups or handshakes that failed; more than failed dials: another route or setup node helped",
    ),
    accepted: metrics.counter("skywire_route_accepted_total", "Connections of others whose handshake succeeded"),
    failedAccepts: metrics.counter(
      "skywire_route_failed_accepts_total",
      "Connections of others whose handshake failed; compare with accepted",
    ),
    refusedLegs: metrics.counter(
      "skywire_route_refused_legs_total",
      "Further routes of others' connections that were not taken: unknown, repeated, or too many",
    ),
    open: metrics.gauge("skywire_route_connections", "Connections that are open"),
  };
}
