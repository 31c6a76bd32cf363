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
   */
  constructor(code: string, message: string, options: ErrorOptionsWithDetails = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The peer broke the protocol: malformed, out of order, bad signature, replay. Drop, count, perhaps close. */
export class ProtocolError extends SkywireError {}

/** The peer or service said no. Show it or choose another. */
export class RefusedError extends SkywireError {}

/** Not now: timeout, no route, no server, overload. Try again later. */
export class UnavailableError extends SkywireError {}

/** Used after close. Stop. */
export class ClosedError extends SkywireError {}

/** Our own assumption broke. Let it end the task, and report it. */
export class BugError extends SkywireError {}

/** Is the error a {@link SkywireError} with this code? */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof SkywireError && error.code === code;
}

/** The messages of an error and of what caused it, outermost first, joined by `: `. */
export function describeError(error: unknown): string {
  const messages: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 8; depth++) {
    messages.push(at instanceof Error ? at.message : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return messages.join(": ");
}
