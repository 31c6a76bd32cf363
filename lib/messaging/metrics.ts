/** What a messaging server counts. Tested in tests/messaging/server_test.ts. */

import type { Counter, Gauge, Metrics } from "../runtime/mod.ts";

/** See the help texts. */
export interface ServerMetrics {
  readonly sessions: Gauge;
  readonly streams: Gauge;
  readonly handshakesFailed: Counter;
  readonly connectionsRefused: Counter;
  readonly streamsOpened: Counter;
  readonly streamsFailed: Counter;
  readonly streamsRefused: Counter;
  readonly streamsDropped: Counter;
  readonly relayedBytes: Counter;
}

/** Declares them. */
export function createServerMetrics(metrics: Metrics): ServerMetrics {
  return {
    sessions: metrics.gauge("skywire_messaging_sessions", "Sessions with clients; compare with the configured maximum"),
    streams: metrics.gauge("skywire_messaging_streams", "Streams of clients, opening or relayed"),
    handshakesFailed: metrics.counter(
      "skywire_messaging_handshakes_failed_total",
      "Connections whose handshake failed or took too long; compare with sessions",
    ),
    connectionsRefused: metrics.counter(
      "skywire_messaging_connections_refused_total",
      "Connections closed at once because a limit was reached; should stay near 0",
    ),
    streamsOpened: metrics.counter("skywire_messaging_streams_opened_total", "Streams that reached the other client"),
    streamsFailed: metrics.counter(
      "skywire_messaging_streams_failed_total",
      "Stream requests that led to nothing; compare with streams opened",
    ),
    streamsRefused: metrics.counter(
      "skywire_messaging_streams_refused_total",
      "Streams reset at once because their client had too many; should stay near 0",
    ),
    streamsDropped: metrics.counter(
      "skywire_messaging_streams_dropped_total",
      "Streams reset because too many were held up by ends that do not read; should stay near 0",
    ),
    relayedBytes: metrics.counter("skywire_messaging_relayed_bytes_total", "Bytes passed on between clients"),
  };
}
