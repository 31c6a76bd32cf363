/** Measures the way to another visor: throughput in both directions, and the round trip meanwhile. */

import type { Clock } from "../../runtime/mod.ts";
import type { KeyedStream } from "../../overlay/mod.ts";
import { at } from "../../types/at.ts";
import { type Hop, type PublicKey, visorsOf } from "../../types/mod.ts";
import { BENCH_PORT, DIRECTION, readExactly, sendBlocks, takeBlocks } from "./protocol.ts";

/** A connection that can be pinged while it is used, as those of the router. */
export interface BenchConnection extends KeyedStream {
  /** The path of what we send. */
  readonly route: readonly Hop[];
  /** Measures a round trip, ms. */
  ping(signal?: AbortSignal): Promise<number>;
}

/** The result of a measurement of throughput. */
export interface BenchResult {
  /** The visor at the other end. */
  readonly to: PublicKey;
  /** How many transports the route passes. */
  readonly hops: number;
  /** The visors of the route from this one to `to`, both included. */
  readonly visors: readonly PublicKey[];
  /** The rate from here (`up`) and to here (`down`), MB/s (10⁶ bytes). */
  readonly megabytesPerSecond: { readonly up: number; readonly down: number };
  /** Round trips while the route was busy, ms: the median, and the 99th percentile. */
  readonly rttMs: { readonly p50: number; readonly p99: number };
}

/** How to measure. */
export interface BenchOptions {
  /** For each direction, ms. */
  readonly durationMs: number;
  readonly clock: Clock;
  /** Opens a connection to the bench port. */
  readonly dial: (port: number) => Promise<BenchConnection>;
  readonly signal?: AbortSignal;
}

/**
 * Measures one direction after the other, each on a connection of its own.
 * @throws as the dial; {ProtocolError} `bench/cut` when the other visor is busy or leaves
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const up = await measure(DIRECTION.up, options);
  const down = await measure(DIRECTION.down, options);
  const rtts = [...up.rtts, ...down.rtts].sort((a, b) => a - b);
  const quantile = (share: number): number => rtts[Math.min(rtts.length - 1, Math.floor(rtts.length * share))] ?? 0;
  return {
    to: at(up.visors, -1),
    hops: up.visors.length - 1,
    visors: up.visors,
    megabytesPerSecond: { up: up.rate, down: down.rate },
    rttMs: { p50: quantile(0.5), p99: quantile(0.99) },
  };
}

async function measure(
  direction: number,
  { durationMs, clock, dial, signal }: BenchOptions,
): Promise<{ rate: number; rtts: number[]; visors: readonly PublicKey[] }> {
  const connection = await dial(BENCH_PORT);
  const stop = new AbortController();
  const onAbort = (): void => connection.close();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const request = new DataView(new ArrayBuffer(5));
    request.setUint8(0, direction);
    request.setUint32(1, durationMs);
    await connection.write(new Uint8Array(request.buffer));
    const pings = pingUntil(connection, stop.signal);
    const startedAt = clock.monotonic();
    let bytes: number;
    if (direction === DIRECTION.up) {
      await sendBlocks(connection, { durationMs, clock });
      bytes = Number((await readExactly(connection, 8)).getBigUint64(0));
    } else {
      bytes = await takeBlocks(connection);
    }
    const seconds = (clock.monotonic() - startedAt) / 1000;
    stop.abort();
    const visors = visorsOf(connection.route);
    return { rate: bytes / 1e6 / seconds, rtts: await pings, visors };
  } finally {
    stop.abort();
    signal?.removeEventListener("abort", onAbort);
    connection.close();
  }
}

/** One ping after the other, until told to stop. */
async function pingUntil(connection: BenchConnection, signal: AbortSignal): Promise<number[]> {
  const rtts: number[] = [];
  try {
    while (!signal.aborted) rtts.push(await connection.ping(signal));
  } catch {
    // Stopped, or the measurement itself reports the break.
  }
  return rtts;
}
