/**
 * Turns errors into HTTP answers; no other file does. What the answer says depends on the error's class and code only
 * (style.md §9). The causes of a failure go to the log, never into the answer.
 * Tested in tests/services/http/app_test.ts.
 */

import {
  ClosedError,
  describeError,
  ProtocolError,
  RefusedError,
  SkywireError,
  UnavailableError,
} from "../../errors/mod.ts";
import type { Log } from "../../runtime/mod.ts";
import { TextResponse } from "./text_response.ts";

/** What an API answers to an error with a certain code. */
export interface WireError {
  /** 400–599 */
  readonly status: number;
  /** The text on the wire. Absent: the message of the error, which must then be fit for strangers. */
  readonly message?: string;
}

/** How an API writes its errors. The v1.3 services differ from each other. */
export interface ErrorFormat {
  /** The header. */
  readonly contentType: string;
  /** Codes whose answer the API prescribes. Others are answered by class, with a general text. */
  readonly known: Readonly<Record<string, WireError>>;
  /** The body for a status and text. */
  body(status: number, message: string): string;
}

/** What {@link errorResponse} needs beside the error. */
export interface ErrorContext {
  /** Absent: `{"error":{"code","message","details"}}`, for APIs of our own. */
  readonly format?: ErrorFormat;
  /** Where failures of ours (status 500 and above) are told. */
  readonly log?: Pick<Log, "error" | "warn">;
  /** Names the request in the log and, as `x-request-id`, in the answer to a failure. */
  readonly requestId?: string;
}

/** Statuses that follow from the code alone, whatever the API. The last word of a code counts when the whole does not. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  "http/body-too-large": 413,
  "http/body-too-slow": 408,
  "http/too-many-requests": 429,
  "http/too-slow": 503,
  "bad-request": 400,
  "unauthorized": 401,
  "not-found": 404,
  "conflict": 409,
};

/** Texts for statuses whose reason is nobody's business or has no prescribed text. */
const GENERAL_TEXT: Readonly<Record<number, string>> = {
  400: "bad request",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  408: "request timeout",
  409: "conflict",
  413: "request entity too large",
  429: "too many requests",
  500: "internal error",
  503: "service unavailable",
};

/**
 * The answer to an error.
 * @param error whatever was thrown
 * @param context how the API writes errors, and where failures are told
 */
export function errorResponse(error: unknown, context: ErrorContext = {}): Response {
  const { format, log, requestId } = context;
  const code = error instanceof SkywireError ? error.code : "internal";
  const wire: Partial<WireError> = format?.known[code] ?? {};
  const status = wire.status ?? statusOf(error);
  const headers: Record<string, string> = { "content-type": format?.contentType ?? "application/json" };
  // Some v1.3 answers call it a failure of theirs what is one of the client: no reason for alarm.
  const isOurs = !(error instanceof ProtocolError) && !(error instanceof RefusedError);
  if (status >= 500 && isOurs) {
    const fields = { code, error: describeError(error), ...(requestId === undefined ? {} : { requestId }) };
    if (status === 503) log?.warn("request-unavailable", fields);
    else log?.error("request-failed", fields);
    if (requestId !== undefined) headers["x-request-id"] = requestId;
  }
  const retryAfter = error instanceof SkywireError ? error.details["retryAfterSeconds"] : undefined;
  if (typeof retryAfter === "number") headers["retry-after"] = String(retryAfter);
  const body = format === undefined
    ? formatOwn(error, status)
    : format.body(status, messageFor(error, { wire, status }));
  return new TextResponse(body, { status, headers });
}

/** The status of an error by its class and code. */
export function statusOf(error: unknown): number {
  if (error instanceof SkywireError) {
    const byCode = STATUS_BY_CODE[error.code] ?? STATUS_BY_CODE[error.code.slice(error.code.lastIndexOf("/") + 1)];
    if (error instanceof RefusedError) return byCode ?? 403;
    if (error instanceof ProtocolError) return byCode ?? 400;
    if (error instanceof UnavailableError) return STATUS_BY_CODE[error.code] ?? 503;
    if (error instanceof ClosedError) return 503;
  }
  return 500;
}

function messageFor(error: unknown, known: { readonly wire: Partial<WireError>; readonly status: number }): string {
  const { wire, status } = known;
  if (wire.message !== undefined) return wire.message;
  if (wire.status !== undefined && error instanceof SkywireError) return error.message;
  // Limits on requests are ours, and so is what is said about them.
  if (error instanceof SkywireError && error.code.startsWith("http/")) return error.message;
  return GENERAL_TEXT[status] ?? "error";
}

/** Our own form. A failure that is no error of ours shows nothing of itself. */
function formatOwn(error: unknown, status: number): string {
  if (!(error instanceof SkywireError) || status === 500) {
    return JSON.stringify({ error: { code: "internal", message: "Internal error, see the log" } });
  }
  const { code, message, details } = error;
  return JSON.stringify({ error: { code, message, ...(Object.keys(details).length > 0 ? { details } : {}) } });
}
