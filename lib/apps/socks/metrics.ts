/** What the SOCKS apps count. Tested in tests/apps/socks/proxy_test.ts. */

import type { Counter, Gauge, Metrics } from "../../runtime/mod.ts";

/** See the help texts. */
export interface SocksMetrics {
  readonly connections: Gauge;
  readonly requests: Counter;
  readonly denied: Counter;
  readonly refused: Counter;
}

/** Declares the figures of one side. */
export function createSocksMetrics(metrics: Metrics, side: "server" | "client"): SocksMetrics {
  const name = (rest: string): string => `skywire_socks_${side}_${rest}`;
  return {
    connections: metrics.gauge(name("connections"), "Proxied connections, in handshake or relayed"),
    requests: metrics.counter(name("requests_total"), "Proxied connections so far"),
    denied: metrics.counter(
      name("denied_total"),
      "Requests that a rule, a passcode or a limit turned away; compare with requests",
    ),
    refused: metrics.counter(
      name("refused_total"),
      "Requests answered with an error because the destination or the route could not be reached; compare with requests",
    ),
  };
}
