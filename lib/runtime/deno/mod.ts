/**
 * The runtime ports on Deno: the one place, beside the composition roots, SQL engines and transport drivers, that
 * touches the platform. Tested in tests/runtime/deno/basics_test.ts.
 *
 * @module
 */
import { createLog, createMetrics, createWriterSink, formatLogJson, formatLogText } from "../mod.ts";
import type { LogLevel, LogSink, Runtime } from "../mod.ts";
import { createDenoClock, createDenoRandom, createDenoTimers } from "./basics.ts";
import { createDenoHttp } from "./http.ts";
import { createDenoNetwork } from "./network.ts";
import { standardError } from "./output.ts";

export { type Output, standardError, standardOutput } from "./output.ts";
export { createDenoStorage } from "./storage.ts";

/** What {@link createDenoRuntime} may be told. */
export interface DenoRuntimeOptions {
  /** Lines below are dropped. Default `info`. */
  readonly logLevel?: LogLevel;
  /** How lines look on stderr. Default `text`. */
  readonly logFormat?: "text" | "json";
  /** Takes the lines in place of stderr. */
  readonly logSink?: LogSink;
}

/** The real world. Disposing closes pooled HTTP connections; links and listeners belong to those who opened them. */
export type DenoRuntime = Runtime & Disposable;

/**
 * Makes the runtime of a process. Several may exist; they share nothing but the process.
 *
 * ```ts ignore
 * using runtime = createDenoRuntime({ logLevel: "warn" });
 * const link = await runtime.network.dial("127.0.0.1:80");
 * ```
 */
export function createDenoRuntime(options: DenoRuntimeOptions = {}): DenoRuntime {
  const clock = createDenoClock();
  const timers = createDenoTimers();
  const format = options.logFormat === "json" ? formatLogJson : formatLogText;
  const metrics = createMetrics();
  const dropped = metrics.counter("skywire_log_dropped_lines_total", "Lines that nobody read in time");
  const sink = options.logSink ?? createWriterSink({ writer: standardError, format, clock, dropped });
  const http = createDenoHttp({ timers });
  return {
    clock,
    timers,
    random: createDenoRandom(),
    network: createDenoNetwork({ timers }),
    http,
    log: createLog({ level: options.logLevel ?? "info", clock, sink }),
    metrics,
    [Symbol.dispose]: (): void => http[Symbol.dispose](),
  };
}
