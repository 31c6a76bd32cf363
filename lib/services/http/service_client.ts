/** Requests to a service with a time limit and a limit on the answer, as text. */

import { ProtocolError } from "../../errors/mod.ts";
import { type Http, type Timers, untilAborted, withTimeout } from "../../runtime/mod.ts";
import type { Method } from "./app.ts";

/** How long a request may take, answer included, ms: what v1.3 visors give the route finder (routing.md §7.5). */
export const REQUEST_WITHIN_MS = 10_000;

/**
 * The longest answer, bytes: a hundred routes. The slowest JSON of that length takes 100 ms to read, and blocks the process
 * meanwhile.
 */
const MAX_ANSWER_BYTES = 256 * 1024;

/** The longest list of everything that a service knows, bytes: all transports of a network of 200,000. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** What a client of a service needs. `{ ...runtime, url }` fits. */
export interface ServiceClientDeps {
  /** Sends the requests: `runtime.http`, or a service in this process. */
  readonly http: Pick<Http, "fetch">;
  /** Limits the time of a request. */
  readonly timers: Timers;
  /** The base URL, `http:` or `https:`; a slash at its end does not matter. */
  readonly url: string;
}

/** One request. */
export interface ServiceRequest {
  /** One of the four. */
  readonly method: Method;
  /** From the base URL on, with query. */
  readonly path: string;
  /** Sent as UTF-8. */
  readonly body?: string;
  /** Beside those that HTTP needs. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer is a list of everything, which may be long. */
  readonly isList?: boolean;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** One answer. */
export interface ServiceAnswer {
  /** Of HTTP. */
  readonly status: number;
  /** The body. */
  readonly text: string;
}

/** Sends requests to one service; they run at once. */
export type ServiceClient = (request: ServiceRequest) => Promise<ServiceAnswer>;

/**
 * Makes a client. It throws {UnavailableError} `http/unreachable` when there is no answer and `http/timeout` when it
 * takes too long, {ProtocolError} `http/answer-too-large`, or the reason of the signal.
 */
export function createServiceClient(deps: ServiceClientDeps): ServiceClient {
  const { http, timers } = deps;
  const base = trimUrl(deps.url);
  return ({ method, path, body, headers, isList = false, signal }) =>
    withTimeout(async (signal) => {
      const response = await http.fetch(
        new Request(base + path, {
          method,
          signal,
          ...(headers === undefined ? {} : { headers }),
          ...(body === undefined ? {} : { body }),
        }),
      );
      return {
        status: response.status,
        text: await readText(response, { most: isList ? MAX_LIST_BYTES : MAX_ANSWER_BYTES, signal }),
      };
    }, { timers, ms: REQUEST_WITHIN_MS, code: "http/timeout", message: `${method} ${base}${path}`, signal });
}

/** A base URL without slash at its end. */
export function trimUrl(url: string): string {
  return url.replace(/\/+$/, "");
}

async function readText(
  response: Response,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal },
): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let length = 0;;) {
      const { done, value } = await untilAborted(reader.read(), signal);
      if (done) return text + decoder.decode();
      length += value.length;
      if (length > most) {
        throw new ProtocolError("http/answer-too-large", `Read the answer: more than ${most} bytes`);
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
}
