/**
 * What all HTTP services share: limits, figures, the access log, and the paths `/health`, `/metrics` (Prometheus) and
 * `/openapi.json`. A request passes through one function, which sets no header.
 */

import * as v from "valibot";
import type { Metrics, Runtime } from "../../runtime/mod.ts";
import { clientBehindProxy } from "./client_address.ts";
import { type CallRecord, createHttpApp, type HttpService, JSON_TYPE } from "./app.ts";
import type { DocumentedRoute } from "./docs.ts";
import { type ErrorFormat, errorResponse } from "./errors.ts";
import { type BuildInfo, healthRoute, type MessagingPresence } from "./health.ts";
import { routeFigures } from "./metrics.ts";
import { createRateLimiter, DEFAULT_RATE_LIMIT, type RateLimit, tooManyRequests } from "./rate_limit.ts";
import { TextResponse } from "./text_response.ts";

/**
 * How long a route may take to begin its answer, ms: twice what a body may take, which is answered for more precisely.
 * Streams of events begin at once.
 */
const ANSWER_WITHIN_MS = 20_000;

/** The version of the APIs: that of v1.3, and what we added. */
const API_VERSION = "1.3";

/** The settings that all services have. */
export interface ServiceSettings {
  /** The program, shown by `/health`. */
  readonly build?: BuildInfo | undefined;
  /** The limit for each client address. Default: 1000 requests a second, 4000 at once. */
  readonly rateLimit?: RateLimit | undefined;
  /** The messaging client through which the service is reached, too; shown by `/health`. */
  readonly messaging?: MessagingPresence | undefined;
  /** Is a proxy in front, whose headers name the client? Then each client has its own limit. Default false. */
  readonly trustsProxy?: boolean | undefined;
  /** Gives what has not worked for a while, one sentence each; shown by `/health`. */
  readonly problems?: (() => readonly string[]) | undefined;
}

/** What {@link createServiceApp} needs. */
export interface ServiceAppDeps {
  /** In figures and log lines, `kebab-case`. */
  readonly name: string;
  /** In the description of the API. */
  readonly title: string;
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">;
  /** In the order in which they are tried. */
  readonly routes: readonly DocumentedRoute[];
  /** How the API writes errors; absent: in our own form, see `errors.ts`. */
  readonly errors?: ErrorFormat;
  /** The JSON of an error. */
  readonly errorBody: v.GenericSchema;
  readonly settings: ServiceSettings;
  /** Of the API, in its description; default: that of v1.3. */
  readonly version?: string;
  /** Whether every request carries a bearer token, which is checked elsewhere. */
  readonly access?: "token";
  /** How long a route may take to begin its answer, ms; `Infinity`: as long as the client waits. Default 20 s. */
  readonly answerWithinMs?: number;
}

/** Makes the handler of a service. */
export function createServiceApp(deps: ServiceAppDeps): HttpService["fetch"] {
  const { name, runtime, errors, settings } = deps;
  const { clock, timers, random, log, metrics } = runtime;
  const routes = [
    ...deps.routes,
    healthRoute({ clock, build: settings.build, messaging: settings.messaging, problems: settings.problems }),
    metricsRoute(metrics),
    descriptionRoute(deps),
  ];
  const { answerWithinMs = ANSWER_WITHIN_MS } = deps;
  const answer = createHttpApp({
    routes,
    log,
    random,
    ...(errors === undefined ? {} : { errors }),
    ...(answerWithinMs === Infinity ? {} : { answerWithin: { ms: answerWithinMs, timers } }),
  });
  const limiter = createRateLimiter({ clock, limit: settings.rateLimit ?? DEFAULT_RATE_LIMIT });
  const figuresOf = (route: { method: string; path: string }) => routeFigures(metrics, { service: name, ...route });
  const figures = new Map(routes.map((route) => [route, figuresOf(route)]));
  // Requests to paths that are none, and those that were refused before their path was looked at.
  const others = figuresOf({ method: "any", path: "other" });

  return async (request, context) => {
    const startMs = clock.monotonic();
    const connected = context?.remote ?? "";
    const remote = settings.trustsProxy ? clientBehindProxy(request.headers, connected) : connected;
    const record: CallRecord<DocumentedRoute> = { remote, route: undefined };
    const waitMs = limiter.take(remote);
    const response = waitMs > 0
      ? errorResponse(tooManyRequests(waitMs), errors === undefined ? {} : { format: errors })
      : await answer(request, record);

    const { route } = record;
    const { status } = response;
    const ms = clock.monotonic() - startMs;
    const figure = route === undefined ? others : figures.get(route) ?? others;
    figure.request(status);
    figure.seconds.observe(ms / 1000);
    const sent = response instanceof TextResponse ? response.bodyBytes : 0;
    figure.sent.add(sent);
    if (request.body !== null) figure.received.add(announcedBytes(request));
    log.debug("request", {
      service: name,
      method: request.method,
      path: route?.path,
      status,
      ms,
      sent,
      ...remote === "" ? {} : { remote },
    });
    return response;
  };
}

/** What is no number, or none that can be, counts as nothing. */
function announcedBytes(request: Request): number {
  const length = Number(request.headers.get("content-length") ?? 0);
  return Number.isSafeInteger(length) && length >= 0 ? length : 0;
}

function metricsRoute(metrics: Metrics): DocumentedRoute {
  return {
    method: "GET",
    path: "/metrics",
    doc: {
      summary: "The figures of this process, for Prometheus",
      answers: { 200: { text: "Prometheus text", type: "text/plain" } },
    },
    handle: () => new TextResponse(metrics.render(), { headers: { "content-type": "text/plain; version=0.0.4" } }),
  };
}

const documentSchema = v.object({ openapi: v.string(), info: v.object({}), paths: v.object({}) });

/** The document is made, and what makes it loaded, when it is first asked for: nearly nobody does. */
function descriptionRoute(deps: ServiceAppDeps): DocumentedRoute {
  let text: string | undefined;
  const route: DocumentedRoute = {
    method: "GET",
    path: "/openapi.json",
    doc: { summary: "This document", answers: { 200: { text: "OpenAPI 3.1", json: documentSchema } } },
    handle: async () => {
      text ??= JSON.stringify(await describe());
      return new TextResponse(text, { headers: JSON_TYPE });
    },
  };
  const describe = async (): Promise<unknown> => {
    const { openApiDocument } = await import("./openapi.ts");
    const shared = [healthRoute({ clock: deps.runtime.clock }), metricsRoute(deps.runtime.metrics), route];
    return openApiDocument({ version: API_VERSION, ...deps, routes: [...deps.routes, ...shared] });
  };
  return route;
}
