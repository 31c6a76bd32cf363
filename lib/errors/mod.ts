/**
 * The errors that cross module borders. The class says who acts (style.md §9): the peer, the caller, or we.
 * Every one has a stable `code` such as `transport/dial-timeout`; nobody compares messages.
 * Tested in tests/services/http/app_test.ts.
 *
 * @module
 */

/** What an error carries beside its message. */
export interface ErrorOptionsWithDetails {
  /** Values that the receiver may show or act on. No secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The error that led to this one; its message is not repeated. */
  readonly cause?: unknown;
}

/** The base of all errors that we throw on purpose. */
export class SkywireError extends Error {
  /** `area/what`, stable. */
  readonly code: string;
  /** Values that go with the code. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * Makes an error; its `name` is that of its class.
   * @param code `area/what`, stable
   * @param message for people: begins with the action, no full stop, and does not repeat the cause
   * @param options values that go with the code, and the error that led to this one
   */
  constructor(code: string, message: string, options: ErrorOptionsWithDetails = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The peer broke the protocol: malformed, out of order, bad signature, replay. Drop the input and count it. */
export class ProtocolError extends SkywireError {}

/** The peer or the service refused. Show the reason, or choose another peer. */
export class RefusedError extends SkywireError {}

/** It cannot be done now: timeout, no route, no server, overload. Try again later. */
export class UnavailableError extends SkywireError {}

/** Something was used after it was closed. Stop using it. */
export class ClosedError extends SkywireError {}

/** Our own assumption broke: a bug. Let it end the task, and report it. */
export class BugError extends SkywireError {}

/**
 * Is the error a {@link SkywireError} with this code?
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { hasCode, UnavailableError } from "./mod.ts";
 *
 * const error: unknown = new UnavailableError("route/not-found", "Find a route: there is none");
 * assert(hasCode(error, "route/not-found"));
 * assert(!hasCode(new Error("other"), "route/not-found"));
 * ```
 *
 * @param error anything that was thrown
 * @param code `area/what`
 */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof SkywireError && error.code === code;
}

/**
 * Tells people what went wrong: the messages of an error and of its causes.
 * @param error anything that was thrown
 * @returns at most 8 messages, the outermost first, joined by `: `
 */
export function describeError(error: unknown): string {
  const messages: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 8; depth++) {
    messages.push(at instanceof Error ? at.message : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return messages.join(": ");
}
