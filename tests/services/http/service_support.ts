/** A service with the routes that a test wants. */

import * as v from "valibot";
import { createLog, createMetrics, formatLogText } from "../../../lib/runtime/mod.ts";
import {
  createServiceApp,
  type DocumentedRoute,
  type HttpService,
  type ServiceSettings,
} from "../../../lib/services/http/mod.ts";
import { makeWorld, type TestWorld } from "./support.ts";

/** Of a route that answers with text. */
export const DOC: DocumentedRoute["doc"] = { summary: "x", answers: { 200: { text: "ok", type: "text/plain" } } };

/** Makes it; `lines` is its log. */
export function serviceOf(
  routes: readonly Omit<DocumentedRoute, "doc">[],
  settings: ServiceSettings = {},
): { fetch: HttpService["fetch"]; world: TestWorld; lines: string[] } {
  const world = makeWorld(0n);
  const lines: string[] = [];
  const { clock } = world.runtime;
  const runtime = {
    ...world.runtime,
    metrics: createMetrics(),
    log: createLog({ level: "debug", clock, sink: (line) => lines.push(formatLogText(line)) }),
  };
  const fetch = createServiceApp({
    name: "test-service",
    title: "Test",
    runtime,
    errors: { contentType: "text/plain", known: {}, body: (status, message) => `${status} ${message}` },
    errorBody: v.string(),
    routes: routes.map((route) => ({ ...route, doc: DOC })),
    settings,
  });
  return { fetch, world, lines };
}
