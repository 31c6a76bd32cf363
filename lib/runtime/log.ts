/** Log lines: levels, fields, and their two text forms. Where lines go is the maker's choice (a sink). */

import type { Clock, Log, LogFields } from "./ports.ts";

/** How important a line is; `off` lets nothing through. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "off";

/** All levels, least important first. */
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "off"];

/** One line before it is text. */
export interface LogLine {
  /** Unix ms */
  readonly timeMs: number;
  /** Of the line. */
  readonly level: Exclude<LogLevel, "off">;
  /** `kebab-case` */
  readonly event: string;
  /** What goes with the event. */
  readonly fields: LogFields;
}

/** Takes lines that passed the level. Must not throw. */
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

/** A line for people: `12:34:56.789 warn  link-down transport=eddd8617 reason="no answer"`. Times are UTC. */
export function formatLogText(line: LogLine): string {
  const time = new Date(line.timeMs).toISOString().slice(11, 23);
  const fields = Object.entries(line.fields).filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${/^[^\s"=]+$/.test(String(value)) ? value : JSON.stringify(String(value))}`);
  return `${time} ${line.level.padEnd(5)} ${line.event}${fields.join("")}`;
}

/** A line for programs: one JSON object with `time` (RFC 3339), `level`, `event` and the fields. */
export function formatLogJson(line: LogLine): string {
  const { timeMs, level, event, fields } = line;
  return JSON.stringify(
    { time: new Date(timeMs).toISOString(), level, event, ...fields },
    (_key, value) => typeof value === "bigint" ? value.toString() : value,
  );
}
