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

/** The options of {@link createDenoRuntime}. */
export interface DenoRuntimeOptions {
  /** The lowest level that is written. Default `info`. */
  readonly logLevel?: LogLevel;
  /** The form of lines on stderr. Default `text`. */
  readonly logFormat?: "text" | "json";
  /** Takes the lines in place of stderr. */
  readonly logSink?: LogSink;
}

/** The runtime of this process. Disposing it closes pooled HTTP connections, but not links and listeners. */
export type DenoRuntime = Runtime & Disposable;

/**
 * Makes the runtime of this process, on Deno. Several may exist; they share nothing but the process.
 *
 * ```ts
 * import { createDenoRuntime } from "./mod.ts";
 *
 * using runtime = createDenoRuntime({ logLevel: "warn" });
 * const listener = await runtime.network.listen("127.0.0.1:0");
 * const link = await runtime.network.dial(listener.address);
 * link.close();
 * listener.close();
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
