/** Figures of the transports. Tested in tests/transport/transport_table_test.ts. */

import type { Counter, Gauge, Metrics } from "../runtime/mod.ts";

/** See each. */
export interface TransportMetrics {
  /** Transports with a working link. Compare with how many are wanted. */
  readonly up: Gauge;
  /** Links that came up, dialled or accepted. Much faster growth than `up` explains means flapping. */
  readonly opened: Counter;
  /** Own dials that failed at any stage. */
  readonly dialsFailed: Counter;
  /** Incoming links that failed before they were transports: strangers, broken peers, duplicates. */
  readonly acceptsFailed: Counter;
  /** Incoming links closed unread, because too many were being set up. Should be 0 but under attack. */
  readonly acceptsShed: Counter;
  /** Links closed because a peer that used to answer fell silent. */
  readonly silenced: Counter;
  /** Requests to transport discovery that failed, each try. */
  readonly registrationsFailed: Counter;
  /** Reports of the status of transports to transport discovery that failed, each try. */
  readonly reportsFailed: Counter;
}

/** Declares the figures. */
export function transportMetrics(metrics: Metrics): TransportMetrics {
  return {
    up: metrics.gauge("skywire_transport_up", "Transports with a working link"),
    opened: metrics.counter("skywire_transport_opened_total", "Links that came up"),
    dialsFailed: metrics.counter("skywire_transport_dials_failed_total", "Own dials that failed"),
    acceptsFailed: metrics.counter("skywire_transport_accepts_failed_total", "Incoming links that failed to settle"),
    acceptsShed: metrics.counter(
      "skywire_transport_accepts_shed_total",
      "Incoming links closed unread, too many at once",
    ),
    silenced: metrics.counter("skywire_transport_silenced_total", "Links closed because the peer fell silent"),
    registrationsFailed: metrics.counter(
      "skywire_transport_registrations_failed_total",
      "Requests to transport discovery that failed",
    ),
    reportsFailed: metrics.counter(
      "skywire_transport_reports_failed_total",
      "Reports of the status of transports that failed",
    ),
  };
}
