import assert from "node:assert/strict";
import { createMetrics } from "../../lib/runtime/mod.ts";

Deno.test("createMetrics() keeps one figure for each name and set of labels", () => {
  const metrics = createMetrics();
  const count = (status: string): void =>
    metrics.counter("skywire_http_requests_total", "Requests", { labels: { path: "/a", status } }).add();
  count("2xx");
  count("2xx");
  count("5xx");
  assert.equal(
    metrics.render(),
    "# HELP skywire_http_requests_total Requests\n# TYPE skywire_http_requests_total counter\n" +
      'skywire_http_requests_total{path="/a",status="2xx"} 2\nskywire_http_requests_total{path="/a",status="5xx"} 1\n',
  );
});

Deno.test("createMetrics() writes what Prometheus would misread in a label as it wants it", () => {
  const metrics = createMetrics();
  metrics.gauge("skywire_a_b", "x", { labels: { path: 'a"\\\n' } }).set(1);
  assert.ok(metrics.render().includes('skywire_a_b{path="a\\"\\\\\\n"} 1\n'));
  assert.throws(() => metrics.gauge("skywire_a_b", "x", { labels: { "a-b": "" } }), RangeError);
});

Deno.test("a histogram counts each value in every bucket whose bound it does not exceed", () => {
  const metrics = createMetrics();
  const figure = metrics.histogram("skywire_x_seconds", "x", { buckets: [1, 10], labels: { a: "b" } });
  for (const value of [0.5, 1, 2, 100]) figure.observe(value);
  assert.deepEqual(metrics.render().split("\n").slice(2, -1), [
    'skywire_x_seconds_bucket{a="b",le="1"} 2',
    'skywire_x_seconds_bucket{a="b",le="10"} 3',
    'skywire_x_seconds_bucket{a="b",le="+Inf"} 4',
    'skywire_x_seconds_sum{a="b"} 103.5',
    'skywire_x_seconds_count{a="b"} 4',
  ]);
});
