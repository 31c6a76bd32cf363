/** Figures of HTTP services: each path counted by itself. Tested in tests/services/http/service_app_test.ts. */

import type { Counter, Histogram, Metrics } from "../../runtime/mod.ts";

/** Seconds: reads take less than 1 ms, signatures and searches 1–15 ms, writes on a busy disk 100 ms. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10];

/** The figures of one route. */
export interface RouteFigures {
  /** By class of the status: `skywire_http_requests_total`. Compare 4xx and 5xx with 2xx. */
  request(status: number): void;
  /** `skywire_http_request_seconds`: until the answer begins. */
  readonly seconds: Histogram;
  /** `skywire_http_request_body_bytes_total`: as the client announced them. */
  readonly received: Counter;
  /** `skywire_http_response_body_bytes_total`: streams are not counted. */
  readonly sent: Counter;
}

/** The figures of a route by its pattern. */
export function routeFigures(
  metrics: Metrics,
  route: { readonly service: string; readonly method: string; readonly path: string },
): RouteFigures {
  const { service, method, path } = route;
  const labels = { service, method, path };
  const classes = new Map<number, Counter>();
  return {
    request(status: number): void {
      const group = Math.floor(status / 100);
      let counter = classes.get(group);
      if (counter === undefined) {
        counter = metrics.counter("skywire_http_requests_total", "Requests answered, by class of the status", {
          labels: { ...labels, status: `${group}xx` },
        });
        classes.set(group, counter);
      }
      counter.add();
    },
    seconds: metrics.histogram("skywire_http_request_seconds", "Time until the answer began", {
      buckets: SECONDS,
      labels,
    }),
    received: metrics.counter("skywire_http_request_body_bytes_total", "Bytes of bodies announced by clients", {
      labels,
    }),
    sent: metrics.counter("skywire_http_response_body_bytes_total", "Bytes of bodies sent, without streams", {
      labels,
    }),
  };
}
