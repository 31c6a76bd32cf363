/**
 * From a list of routes to a request handler: the only file of the services that knows Hono. There is no middleware:
 * one that sets a header costs two thirds of the throughput (design.md §8), and what services share is called by the
 * few routes that need it.
 */

import { type Context, Hono } from "hono";
import { hasCode } from "../../errors/mod.ts";
import { formatHex } from "../../types/mod.ts";
import type { Log, Random } from "../../runtime/mod.ts";
import { type ErrorFormat, errorResponse } from "./errors.ts";

/** The methods that services know. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

const METHODS: readonly Method[] = ["GET", "POST", "PUT", "DELETE"];

/** One request, as a route sees it. */
export interface HttpCall {
  /** As it came; its body may have been read. */
  readonly request: Request;
  /** `host:port` of the client; empty when the request came from inside the process. */
  readonly remote: string;
  /** A part of the path by its name, percent-decoded; empty when there is none. */
  param(name: string): string;
  /** A member of the query; undefined when there is none. */
  query(name: string): string | undefined;
}

/** What answers a method on a path. `:name` is a path segment, `:name{regex}` one of a certain form. */
export interface Route {
  /** One of the four. */
  readonly method: Method;
  /** Matched as a whole; a slash at the end counts. */
  readonly path: string;
  /** Answers; what it throws is answered in the form of the API. */
  readonly handle: (call: HttpCall) => Response | Promise<Response>;
}

/** A service over HTTP. `fetch` needs no server: tests call it as it is. */
export interface HttpService {
  /** Answers a request. Never rejects. */
  fetch(request: Request, context?: { readonly remote: string }): Promise<Response>;
  /** Ends what goes on by itself: streams of events, timers. Running requests are answered. Harmless when repeated. */
  close(): Promise<void>;
}

/** What {@link createHttpApp} needs. */
export interface HttpAppDeps {
  /** In the order in which they are tried. */
  readonly routes: readonly Route[];
  /** How the API writes errors. */
  readonly errors: ErrorFormat;
  /** Where failures are told. */
  readonly log: Log;
  /** Names failed requests. */
  readonly random: Random;
}

/**
 * Makes the handler. A path without route gets what Go answers: 404 as text; a method without route 405 with `Allow`.
 * Errors that routes throw are answered in the form of the API.
 */
export function createHttpApp(deps: HttpAppDeps): HttpService["fetch"] {
  const { routes, errors, log, random } = deps;
  const app = new Hono<Env>();
  for (const { method, path, handle } of routes) app.on(method, path, (context) => handle(new ContextCall(context)));
  app.notFound((context) => {
    const allowed = METHODS.filter((method) => app.router.match(method, context.req.path)[0].length > 0);
    if (allowed.length > 0) return new Response(null, { status: 405, headers: { allow: allowed.join(", ") } });
    return new Response("404 page not found\n", { status: 404, headers: TEXT });
  });
  app.onError((error, context) => {
    // Nobody is there to read it.
    if (hasCode(error, "http/client-gone")) return new Response(null, { status: 499 });
    const requestId = formatHex(random.bytes(8));
    const { method, path } = context.req;
    return errorResponse(error, { format: errors, log: log.with({ method, path }), requestId });
  });
  return async (request, context) => await app.fetch(request, { remote: context?.remote ?? "" });
}

/** Headers of a JSON answer. */
export const JSON_TYPE: Readonly<Record<string, string>> = { "content-type": "application/json" };

/** Headers of a text answer, as Go writes them. */
export const TEXT: Readonly<Record<string, string>> = { "content-type": "text/plain; charset=utf-8" };

interface Env {
  Bindings: { readonly remote: string };
}

class ContextCall implements HttpCall {
  readonly #context: Context<Env>;

  constructor(context: Context<Env>) {
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
