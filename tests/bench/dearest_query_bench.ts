// deno-lint-ignore-file no-console -- a benchmark prints its figures

/**
 * The dearest questions to a route finder: how long each holds the thread that serves all others, on a map of 50,000
 * visors. Figures with their dates are in `README.md` beside this file.
 *
 *     deno run -A --v8-flags=--expose-gc tests/bench/dearest_query_bench.ts
 */

import process from "node:process";
import { answerQuery } from "../../lib/paths/answer.ts";
import { ANSWER_WITHIN_MS, endWithin, EXPLAIN_WITHIN_MS } from "../../lib/paths/budget.ts";
import { explainRoutes } from "../../lib/paths/explain.ts";
import type { Metric } from "../../lib/paths/figures.ts";
import { TransportGraph } from "../../lib/paths/graph.ts";
import type { RouteQuery } from "../../lib/paths/query.ts";
import { createSeededRandom } from "../../lib/simulation/seeded_random.ts";
import { at } from "../../lib/types/at.ts";
import { monotonicMs, type PublicKey, type TransportId } from "../../lib/types/mod.ts";

const VISORS = 50_000, TRANSPORTS = 250_000;

const clock = { monotonic: () => monotonicMs(performance.now()) };
const source = createSeededRandom("dearest");
const random = (): number => new DataView(source.bytes(4).buffer).getUint32(0) / 2 ** 32;
const keys = Array.from({ length: VISORS }, (_, i) => `02${hex(i, 64)}` as PublicKey);
const graph = new TransportGraph();
for (let n = 0; n < TRANSPORTS; n++) {
  // A long line through all visors, so that routes of any length exist, and a third of the visors as hubs.
  const a = n < VISORS - 1 ? n : Math.floor(random() * VISORS);
  const b = n < VISORS - 1 ? n + 1 : Math.floor(random() * (random() < 0.5 ? VISORS : VISORS / 3));
  if (a === b) continue;
  graph.add({
    id: `${hex(n, 8)}-0000-0000-8000-000000000000` as TransportId,
    edges: [at(keys, Math.min(a, b)), at(keys, Math.max(a, b))],
    kind: at(["stcp", "stcpr", "sudph", "dmsg"], Math.floor(random() * 4)),
    label: "",
    status: "working",
    latencyMs: 1 + random() * 200,
    throughputMBps: 0.5 + random() * 100,
    resetsPerHour: random() * 3,
  });
}
console.log(`map: ${graph.visorCount} visors, ${graph.transportCount} transports`);

const via = [9_999, 20_000, 30_001, 40_000, 5_000, 45_000, 12_345, 33_333].map((visor) => at(keys, visor));
const metrics = ["hops", "latency", "throughput", "reliability"] as const satisfies readonly Metric[];
const wanted: Omit<RouteQuery, "source" | "destination">[] = metrics.flatMap((metric) => [
  { metric, count: 32 },
  { metric, count: 32, disjoint: "links" as const },
  { metric, count: 32, disjoint: "visors" as const, maxHops: 5 },
  { metric, count: 32, minHops: 64, maxHops: 64 },
  { metric, count: 32, via },
  { metric, count: 32, via, minHops: 64, maxHops: 64 },
  { metric, count: 32, via, minHops: 40, maxHops: 64, disjoint: "visors" as const },
]);
wanted.push({
  metric: { hops: 1, latency: 1, throughput: 1, reliability: 1 },
  count: 32,
  via,
  minHops: 60,
  maxHops: 64,
});

for (const explains of [false, true]) {
  let worst = 0, worstName = "";
  for (const query of wanted) {
    const whole = { source: at(keys, 0), destination: at(keys, VISORS - 1), ...query };
    const memory = process.memoryUsage().rss;
    const startMs = performance.now();
    let result = "";
    try {
      if (explains) result = `${explainRoutes(graph, whole, endWithin(EXPLAIN_WITHIN_MS, clock)).length} candidates`;
      else result = `${answerQuery(graph, whole, endWithin(ANSWER_WITHIN_MS, clock)).routes.length} routes`;
    } catch (error) {
      result = (error as { code?: string }).code ?? String(error);
    }
    const ms = performance.now() - startMs;
    const { metric, via: passed, minHops, maxHops, disjoint } = query;
    const name = JSON.stringify({ metric, via: passed?.length, minHops, maxHops, disjoint });
    const grown = (process.memoryUsage().rss - memory) / 1e6;
    console.log(
      `${explains ? "explain" : "ask"} ${name.padEnd(90)} ${ms.toFixed(0).padStart(6)} ms, +${
        grown.toFixed(0)
      } MB, ${result}`,
    );
    if (ms > worst) [worst, worstName] = [ms, name];
  }
  console.log(`dearest: ${worst.toFixed(0)} ms, ${worstName}`);
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}
