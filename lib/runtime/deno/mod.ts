/**
 * The runtime ports on Deno: the one place, beside the composition roots, SQL engines and transport drivers, that
 * touches the platform.
 *
 * @module
 */
import { createLog, createMetrics, formatLogJson, formatLogText } from "../mod.ts";
import type { LogLevel, LogLine, LogSink, Runtime } from "../mod.ts";
import { createDenoClock, createDenoRandom, createDenoTimers } from "./basics.ts";
import { createDenoHttp } from "./http.ts";
import { createDenoNetwork } from "./network.ts";

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

/** The real world. Disposing closes pooled HTTP connections; links and listeners belong to whoever opened them. */
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
  const sink = options.logSink ?? ((line: LogLine): void => writeToStderr(`${format(line)}\n`));
  const http = createDenoHttp({ timers });
  return {
    clock,
    timers,
    random: createDenoRandom(),
    network: createDenoNetwork({ timers }),
    http,
    log: createLog({ level: options.logLevel ?? "info", clock, sink }),
    metrics: createMetrics(),
    [Symbol.dispose]: (): void => http[Symbol.dispose](),
  };
}

/** Writes at once, so that lines written just before the process ends are not lost; a closed stderr is no reason to fail. */
function writeToStderr(text: string): void {
  try {
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) rest = rest.subarray(Deno.stderr.writeSync(rest));
  } catch {
    // Whoever read our stderr has gone.
  }
}
