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

/** The options of {@link createSimulation}. */
export interface SimulationOptions {
  /** Any integer; the same seed gives the same run. Default 1. */
  readonly seed?: number;
  /** One-way delay between hosts unless set otherwise, ms. Default 1. */
  readonly latencyMs?: number;
  /** Which lines {@link Simulation.logLines} keeps. Default `debug`. */
  readonly logLevel?: LogLevel;
}

/** A network in memory on virtual time, see {@link createSimulation}. */
export interface Simulation extends NetworkFaults, Pick<VirtualTime, "run" | "pendingTimers"> {
  /** The seed of all its randomness. */
  readonly seed: number;
  /**
   * Gives the runtime of a host; the same at each call. Other hosts reach what listens on `<name>:<port>` or
   * `0.0.0.0:<port>` as `<name>:<port>`. What listens on `127.0.0.1` is reached from the same host only.
   * @param name any name; the host is made at the first call
   */
  runtimeFor(name: string): Runtime;
  /** Gives the files of a host; the same at each call. */
  storageFor(name: string): MemoryStorage;
  /** Virtual time since the start, ms. */
  readonly nowMs: number;
  /**
   * Makes the wall clock of a host jump. Its monotonic clock does not.
   * @param host the name of the host
   * @param ms how far, forward or back
   */
  jumpClock(host: string, ms: number): void;
  /** The latest 2000 log lines of all hosts, as text with the host in front. */
  readonly logLines: readonly string[];
}

/**
 * Makes a network in memory, for tests. Time passes only inside {@link Simulation.run}; an await outside it that needs time
 * never ends. The module exports it as `createNetwork`.
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
