/**
 * What a service that does not speak HTTP otherwise tells whoever runs it: `/health`, `/metrics` and `/openapi.json`, as
 * all services do.
 */

import { z } from "zod";
import type { HttpService } from "./app.ts";
import type { ErrorFormat } from "./errors.ts";
import { createServiceApp, type ServiceAppDeps } from "./service_app.ts";

const ERRORS: ErrorFormat = {
  contentType: "application/json",
  known: {},
  body: (code, message) => JSON.stringify({ error: { message, code } }),
};

const errorSchema = z.object({ error: z.object({ message: z.string(), code: z.int() }) });

/** Makes the handler of the pages; the figures are those of `runtime.metrics`. */
export function createStatusPages(
  deps: Pick<ServiceAppDeps, "name" | "title" | "runtime" | "settings">,
): HttpService["fetch"] {
  return createServiceApp({ ...deps, routes: [], errors: ERRORS, errorBody: errorSchema });
}
