/** Measuring the throughput of a route; the protocol is in `SPEC.md`. @module */
export { type BenchConnection, type BenchOptions, type BenchResult, runBench } from "./client.ts";
export { BENCH_PORT, MAX_DURATION_MS } from "./protocol.ts";
export { serveBench } from "./server.ts";
