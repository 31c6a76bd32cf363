/**
 * From a list of routes to a request handler: the only file of the services that knows Hono. There is no middleware:
 * one that sets a header costs two thirds of the throughput (design.md §8). What every request goes through is in
 * `service_app.ts`, around this handler; what some need is called by their routes.
 */

import { type Context, Hono } from "hono";
import { hasCode, RefusedError, UnavailableError } from "../../errors/mod.ts";
import { formatHex } from "../../types/mod.ts";
import type { Log, Random, Timers } from "../../runtime/mod.ts";
import { type ErrorFormat, errorResponse } from "./errors.ts";
import { TextResponse } from "./text_response.ts";

/** The methods that services know. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

const METHODS: readonly Method[] = ["GET", "POST", "PUT", "DELETE"];

/** One request, as a route sees it. */
export interface HttpCall {
  /** The request as received; its body may have been read. */
  readonly request: Request;
  /** `host:port` of the client; empty when the request came from inside the process. */
  readonly remote: string;
  /** A part of the path by its name, percent-decoded; empty when there is none. */
  param(name: string): string;
  /** A member of the query; undefined when there is none. */
  query(name: string): string | undefined;
}

/** The handler of a method on a path. `:name` stands for a path segment, `:name{regex}` for one of a certain form. */
export interface Route {
  /** One of the four. */
  readonly method: Method;
  /** Matched as a whole; a slash at the end counts. */
  readonly path: string;
  /** Answers; what it throws is answered in the form of the API. */
  readonly handle: (call: HttpCall) => Response | Promise<Response>;
}

/** A service over HTTP. Serve its `fetch`, or call it directly: a caller in this process needs no server. */
export interface HttpService {
  /**
   * Answers a request. It never rejects.
   * @param request any host; only path and query matter
   * @param context `remote`: the client's `host:port`, for limits; absent for a caller in this process, which has none
   */
  fetch(request: Request, context?: { readonly remote: string }): Promise<Response>;
  /** Ends streams of events and timers. Running requests are still answered. Harmless when repeated. */
  close(): Promise<void>;
}

/** A record of one request. The handler fills it in. */
export interface CallRecord<R extends Route = Route> {
  /** `host:port` of the client; empty when the request came from inside the process. */
  readonly remote: string;
  /** The route that took it; undefined while none has. */
  route?: R | undefined;
}

/** What {@link createHttpApp} needs. */
export interface HttpAppDeps<R extends Route = Route> {
  /** In the order in which they are tried. */
  readonly routes: readonly R[];
  /** How the API writes errors; absent: in our own form, see `errors.ts`. */
  readonly errors?: ErrorFormat;
  /** Where failures are told. */
  readonly log: Log;
  /** Names failed requests. */
  readonly random: Random;
  /** A route that takes longer to begin its answer is answered for, with 503. Default: none is. */
  readonly answerWithin?: { readonly ms: number; readonly timers: Timers };
}

/**
 * Makes the handler. A path without a route gets 404: as text, like v1.3, or in our own form where the API writes such
 * errors. A method without a route gets 405 with `Allow`. Errors that routes throw are answered in the form of the API.
 */
export function createHttpApp<R extends Route>(
  deps: HttpAppDeps<R>,
): (request: Request, record?: CallRecord<R>) => Promise<Response> {
  const { routes, errors, log, random, answerWithin } = deps;
  const app = new Hono<Env<R>>();
  for (const route of routes) {
    app.on(route.method, route.path, (context) => {
      context.env.route = route;
      const answer = route.handle(new ContextCall(context));
      return answerWithin === undefined || answer instanceof Response ? answer : inTime(answer, answerWithin);
    });
  }
  app.notFound((context) => {
    const allowed = METHODS.filter((method) => app.router.match(method, context.req.path)[0].length > 0);
    if (allowed.length > 0) return new Response(null, { status: 405, headers: { allow: allowed.join(", ") } });
    if (errors === undefined) {
      return errorResponse(new RefusedError("not-found", `No such path: ${context.req.method} ${context.req.path}`));
    }
    return new TextResponse("404 page not found\n", { status: 404, headers: TEXT });
  });
  app.onError((error, context) => {
    // Nobody is there to read it.
    if (hasCode(error, "http/client-gone")) return new Response(null, { status: 499 });
    const requestId = formatHex(random.bytes(8));
    const { method, path } = context.req;
    return errorResponse(error, {
      log: log.with({ method, path }),
      requestId,
      ...(errors === undefined ? {} : { format: errors }),
    });
  });
  return async (request, record) => await app.fetch(request, record ?? { remote: "" });
}

/** Not `withTimeout()`: a handler has no signal to abort, and this runs for every request. */
function inTime(answer: Promise<Response>, limit: { readonly ms: number; readonly timers: Timers }): Promise<Response> {
  return new Promise((resolve, reject) => {
    const cancel = limit.timers.after(limit.ms, () => {
      answer.then((late) => late.body?.cancel()).catch(() => {});
      reject(new UnavailableError("http/too-slow", `Answer the request: no end within ${limit.ms} ms`));
    });
    answer.then(resolve, reject).finally(cancel);
  });
}

/** Headers of a JSON answer. */
export const JSON_TYPE: Readonly<Record<string, string>> = { "content-type": "application/json" };

/** Headers of a text answer, as Go writes them. */
export const TEXT: Readonly<Record<string, string>> = { "content-type": "text/plain; charset=utf-8" };

interface Env<R extends Route = Route> {
  Bindings: CallRecord<R>;
}

class ContextCall<R extends Route> implements HttpCall {
  readonly #context: Context<Env<R>>;

  constructor(context: Context<Env<R>>) {
    this.#context = context;
  }

  get request(): Request {
    return this.#context.req.raw;
  }

  get remote(): string {
    return this.#context.env.remote;
  }

  param(name: string): string {
    return this.#context.req.param(name) ?? "";
  }

  query(name: string): string | undefined {
    return this.#context.req.query(name);
  }
}
