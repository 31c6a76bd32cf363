/**
 * What a service that does not speak HTTP otherwise tells its operator: `/health`, `/metrics` and `/openapi.json`, as
 * all services do. Tested in tests/e2e/services_test.ts.
 */

import * as v from "valibot";
import type { HttpService } from "./app.ts";
import type { ErrorFormat } from "./errors.ts";
import { integer } from "./schemas.ts";
import { createServiceApp, type ServiceAppDeps } from "./service_app.ts";

const ERRORS: ErrorFormat = {
  contentType: "application/json",
  known: {},
  body: (code, message) => JSON.stringify({ error: { message, code } }),
};

const errorSchema = v.object({ error: v.object({ message: v.string(), code: integer }) });

/** Makes the handler of the pages; the figures are those of `runtime.metrics`. */
export function createStatusPages(
  deps: Pick<ServiceAppDeps, "name" | "title" | "runtime" | "settings">,
): HttpService["fetch"] {
  return createServiceApp({ ...deps, routes: [], errors: ERRORS, errorBody: errorSchema });
}
