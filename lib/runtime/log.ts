/** Log lines: levels, fields, and their two text forms. Where lines go is the maker's choice (a sink). */

import { printable } from "./printable.ts";
import type { Clock, Counter, Log, LogFields } from "./ports.ts";

/** How important a log line is; `off` drops all lines. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "off";

/** All levels, least important first. */
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "off"];

/** A log line before it is text. */
export interface LogLine {
  /** When it was written, Unix ms. */
  readonly timeMs: number;
  /** How important it is. */
  readonly level: Exclude<LogLevel, "off">;
  /** The name of the event, in `kebab-case`. */
  readonly event: string;
  /** Values that go with the event. */
  readonly fields: LogFields;
}

/** Takes the log lines that are important enough. It must not throw. */
export type LogSink = (line: LogLine) => void;

/** What {@link createLog} needs. */
export interface LogOptions {
  /** Lines below are dropped. */
  readonly level: LogLevel;
  /** Stamps the lines. */
  readonly clock: Pick<Clock, "wallMs">;
  /** Takes the lines. */
  readonly sink: LogSink;
  /** On every line. */
  readonly fields?: LogFields;
}

/** Makes a log that sends lines of `level` and above to the sink. */
export function createLog(options: LogOptions): Log {
  const { level, clock, sink, fields: base = {} } = options;
  const lowest = LOG_LEVELS.indexOf(level);
  const writer = (own: LogLine["level"]): Log["info"] => {
    if (LOG_LEVELS.indexOf(own) < lowest) return () => {};
    return (event, fields) => sink({ timeMs: clock.wallMs(), level: own, event, fields: { ...base, ...fields } });
  };
  return {
    trace: writer("trace"),
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    with: (fields): Log => createLog({ ...options, fields: { ...base, ...fields } }),
  };
}

/** Takes bytes in the background, in order. */
export interface LogWriter {
  /** What was handed over and is not written yet. */
  readonly waitingBytes: number;
  /** Hands bytes over. @returns when all that was handed over is written; rejects when it cannot be */
  write(bytes: Uint8Array): Promise<void>;
}

/** What {@link createWriterSink} needs. */
export interface WriterSinkOptions {
  /** Where the lines go. */
  readonly writer: LogWriter;
  /** Makes text of a line. */
  readonly format: (line: LogLine) => string;
  /** Stamps the line that tells of dropped ones. */
  readonly clock: Pick<Clock, "wallMs">;
  /** Counts dropped lines. */
  readonly dropped: Counter;
}

/** Lines wait in memory up to this, bytes: some thousand lines, a minute of a busy service. */
const MAX_WAITING_BYTES = 256 * 1024;

/**
 * Makes a sink that never waits. Lines that the writer is too slow for are dropped and counted; once it has caught up, a
 * line `log-lines-dropped` with their `count` tells.
 */
export function createWriterSink({ writer, format, clock, dropped }: WriterSinkOptions): LogSink {
  const encoder = new TextEncoder();
  let untold = 0;
  const drop = (count: number): void => {
    dropped.add(count);
    untold += count;
  };
  const write = (line: LogLine): void => {
    // The reader of the log has gone, or the disk is full. The next line is tried again.
    writer.write(encoder.encode(`${format(line)}\n`)).then(tell, () => drop(1));
  };
  const tell = (): void => {
    if (untold === 0) return;
    const fields = { count: untold };
    untold = 0;
    write({ timeMs: clock.wallMs(), level: "warn", event: "log-lines-dropped", fields });
  };
  return (line) => writer.waitingBytes < MAX_WAITING_BYTES ? write(line) : drop(1);
}

/** A line for people: `12:34:56.789 warn  link-down transport=eddd8617 reason="no answer"`. Times are UTC. */
export function formatLogText(line: LogLine): string {
  const time = new Date(line.timeMs).toISOString().slice(11, 23);
  const fields = Object.entries(line.fields).filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${/^[^\s"=]+$/.test(String(value)) ? value : JSON.stringify(String(value))}`);
  return printable(`${time} ${line.level.padEnd(5)} ${line.event}${fields.join("")}`);
}

/** A line for programs: one JSON object with `time` (RFC 3339), `level`, `event` and the fields. */
export function formatLogJson(line: LogLine): string {
  const { timeMs, level, event, fields } = line;
  return JSON.stringify(
    { time: new Date(timeMs).toISOString(), level, event, ...fields },
    (_key, value) => typeof value === "bigint" ? value.toString() : value,
  );
}
