/** Many hosts in one process on one virtual time, all from one seed. */

import { createLog, createMetrics, formatLogText } from "../runtime/mod.ts";
import type { Clock, LogLevel, Runtime } from "../runtime/mod.ts";
import { createMemoryHttp } from "./memory_http.ts";
import { createMemoryNetwork } from "./memory_network.ts";
import type { NetworkFaults } from "./memory_network.ts";
import { createMemoryStorage, type MemoryStorage } from "./memory_storage.ts";
import { createSeededRandom } from "./seeded_random.ts";
import { createVirtualTime } from "./virtual_time.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** Log lines that a simulation remembers. */
const KEPT_LOG_LINES = 2_000;

/** What a simulation may be told. */
export interface SimulationOptions {
  /** The same seed gives the same run. Default 1. */
  readonly seed?: number;
  /** One-way delay between hosts unless set otherwise, ms. Default 1. */
  readonly latencyMs?: number;
  /** Which lines {@link Simulation.logLines} keeps. Default `debug`. */
  readonly logLevel?: LogLevel;
}

/** See {@link createSimulation}. */
export interface Simulation extends NetworkFaults, Pick<VirtualTime, "run" | "pendingTimers"> {
  /** What it was made from. */
  readonly seed: number;
  /**
   * The world as the host sees it; asking again gives the same. Hosts reach each other as `<name>:<port>` when they
   * listen on `<name>:<port>` or `0.0.0.0:<port>`; what listens on `127.0.0.1` is reached from the same host only.
   */
  runtimeFor(name: string): Runtime;
  /** The files of the host; asking again gives the same. */
  storageFor(name: string): MemoryStorage;
  /** Virtual ms since the start. */
  readonly nowMs: number;
  /** The wall clock of a host jumps, forward or back; its monotonic clock does not. */
  jumpClock(host: string, ms: number): void;
  /** The latest log lines of all hosts, as text with the host in front. */
  readonly logLines: readonly string[];
}

/**
 * Makes a world without hosts. Time stands still unless {@link Simulation.run} drives it.
 *
 * ```ts
 * import { createSimulation } from "./mod.ts";
 *
 * const sim = createSimulation({ seed: 1 });
 * const listener = await sim.runtimeFor("a").network.listen("a:7777");
 * const link = await sim.run(sim.runtimeFor("b").network.dial("a:7777"));
 * link.close();
 * listener.close();
 * ```
 */
export function createSimulation(options: SimulationOptions = {}): Simulation {
  const { seed = 1, latencyMs = 1, logLevel = "debug" } = options;
  const time = createVirtualTime();
  const { clock, timers, touch } = time;
  const network = createMemoryNetwork({ timers, touch, latencyMs, nowMs: () => clock.monotonic() });
  const http = createMemoryHttp({ network, timers, touch });
  const runtimes = new Map<string, Runtime>();
  const storages = new Map<string, MemoryStorage>();
  const jumps = new Map<string, number>();
  const logLines: string[] = [];

  const clockOf = (name: string): Clock => ({
    monotonic: () => clock.monotonic(),
    wallMs: () => clock.wallMs() + (jumps.get(name) ?? 0),
    wallNanos: () => clock.wallNanos() + BigInt(jumps.get(name) ?? 0) * 1_000_000n,
  });
  const makeRuntime = (name: string): Runtime => ({
    clock: clockOf(name),
    timers,
    random: createSeededRandom(`${seed}/${name}`),
    network: network.networkOf(name),
    http: http.httpOf(name),
    log: createLog({
      level: logLevel,
      clock,
      sink: (line) => {
        logLines.push(`${name}: ${formatLogText(line)}`);
        if (logLines.length > KEPT_LOG_LINES) logLines.shift();
      },
    }),
    metrics: createMetrics(),
  });

  return {
    ...network,
    seed,
    logLines,
    run: time.run,
    runtimeFor(name: string): Runtime {
      const runtime = runtimes.get(name) ?? makeRuntime(name);
      runtimes.set(name, runtime);
      return runtime;
    },
    storageFor(name: string): MemoryStorage {
      const storage = storages.get(name) ?? createMemoryStorage();
      storages.set(name, storage);
      return storage;
    },
    jumpClock(host: string, ms: number): void {
      jumps.set(host, (jumps.get(host) ?? 0) + ms);
    },
    get nowMs(): number {
      return clock.monotonic();
    },
    get pendingTimers(): number {
      return time.pendingTimers;
    },
  };
}
