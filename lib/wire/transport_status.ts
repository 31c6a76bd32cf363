/**
 * The reports that the edges of a transport send to the transport discovery. v1.3 has no such reports: it knows only
 * whether a transport is listed.
 *
 * ```
 * edge → discovery   {"statuses":[{"t_id","working","lastsMs","latencyMs"?,"throughputMBps"?,"resetsPerHour"?}]}
 * discovery → edge   {"unlisted":[t_id…]}\n      transports of the report that it does not list for the edge
 * ```
 */

import { parseTransportId, type TransportId } from "../types/mod.ts";
import { Fault } from "./fault.ts";
import { type Json, parseJson } from "./go_json.ts";

/** Statuses in one message: 45 KB at most, below what the discovery takes as a body. */
export const MAX_STATUSES = 250;

/** No figure is larger; the longest time in ms is 31 years. */
const MAX_FIGURE = 1e12;

/** Digits of a figure that is measured: more are noise. */
const DIGITS = 3;

/** The measured figures of a transport. A figure that nobody measured is absent. */
export interface TransportFigures {
  /** Round trip, ms. */
  readonly latencyMs?: number;
  /** The highest rate seen in one direction, MB/s (10⁶ bytes), > 0. */
  readonly throughputMBps?: number;
  /** How often the link was lost in the last hour. */
  readonly resetsPerHour?: number;
}

/** What one edge reports of a transport. */
export interface EdgeStatus extends TransportFigures {
  /** Which transport. */
  readonly id: TransportId;
  /** Does it carry packets, as far as the edge can see? */
  readonly isWorking: boolean;
  /** For how long this has been so, ms. It is a duration because the clocks of visors differ. */
  readonly lastsMs: number;
}

/** Names of what can be wrong with a report. */
export type TransportStatusFaultCode = "transport-status/form" | "transport-status/too-many";

/** The body of a report. */
export function formatStatuses(statuses: readonly EdgeStatus[]): string {
  const list = statuses.map(({ id, isWorking, lastsMs, ...figures }) => ({
    t_id: id,
    working: isWorking,
    lastsMs: Math.round(lastsMs),
    ...roundFigures(figures),
  }));
  return JSON.stringify({ statuses: list });
}

/** Reads the body of a report. */
export function parseStatuses(text: string): readonly EdgeStatus[] | Fault<TransportStatusFaultCode> {
  const json = parseJson(text);
  const list = json instanceof Fault ? undefined : membersOf(json)?.["statuses"];
  if (!Array.isArray(list)) return new Fault("transport-status/form", "The report holds no list of statuses");
  if (list.length > MAX_STATUSES) {
    return new Fault("transport-status/too-many", `The report holds more than ${MAX_STATUSES} statuses`);
  }
  const statuses = list.map(decodeStatus);
  if (statuses.every((status) => status !== undefined)) return statuses;
  return new Fault("transport-status/form", "The report holds something that is no status");
}

/** The answer to a report. */
export function formatUnlisted(ids: readonly TransportId[]): string {
  return `${JSON.stringify({ unlisted: ids })}\n`;
}

/** Reads the answer to a report. */
export function parseUnlisted(text: string): readonly TransportId[] | Fault<TransportStatusFaultCode> {
  const json = parseJson(text);
  const list = json instanceof Fault ? undefined : membersOf(json)?.["unlisted"];
  const ids = Array.isArray(list) ? list.map(decodeId) : [undefined];
  if (ids.every((id) => id !== undefined)) return ids;
  return new Fault("transport-status/form", "The answer holds no list of transport ids");
}

/**
 * Reads figures among other members.
 * @returns undefined when one of them is no number ≥ 0
 */
export function decodeFigures(members: { readonly [name: string]: Json }): TransportFigures | undefined {
  const figures: { -readonly [Name in keyof TransportFigures]: number } = {};
  for (const name of ["latencyMs", "throughputMBps", "resetsPerHour"] as const) {
    const value = members[name] ?? null;
    if (value === null) continue;
    const figure = decodeFigure(value);
    if (figure === undefined) return undefined;
    figures[name] = figure;
  }
  return figures;
}

/** Cuts figures to the digits that mean something. */
export function roundFigures({ latencyMs, throughputMBps, resetsPerHour }: TransportFigures): TransportFigures {
  return {
    ...(latencyMs === undefined ? {} : { latencyMs: round(latencyMs) }),
    ...(throughputMBps === undefined ? {} : { throughputMBps: round(throughputMBps) }),
    ...(resetsPerHour === undefined ? {} : { resetsPerHour: round(resetsPerHour) }),
  };
}

function decodeStatus(json: Json): EdgeStatus | undefined {
  const members = membersOf(json);
  if (members === undefined) return undefined;
  const id = decodeId(members["t_id"] ?? null);
  const isWorking = members["working"];
  const lastsMs = decodeFigure(members["lastsMs"] ?? null);
  const figures = decodeFigures(members);
  if (id === undefined || typeof isWorking !== "boolean" || lastsMs === undefined || figures === undefined) {
    return undefined;
  }
  return { id, isWorking, lastsMs, ...figures };
}

function decodeId(json: Json): TransportId | undefined {
  return typeof json === "string" ? parseTransportId(json) : undefined;
}

function decodeFigure(json: Json): number | undefined {
  if (typeof json !== "number" && typeof json !== "bigint") return undefined;
  const number = Number(json);
  return number >= 0 && number <= MAX_FIGURE ? number : undefined;
}

function membersOf(json: Json): { readonly [name: string]: Json } | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? json as { readonly [name: string]: Json }
    : undefined;
}

function round(figure: number): number {
  return Number(figure.toPrecision(DIGITS));
}
