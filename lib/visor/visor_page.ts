/**
 * What a visor answers over HTTP at its public key, port 80: `/health` and nothing else. Anybody who knows the key may
 * ask, so nothing is told but that it runs, since when, and where it is reached.
 * Tested in tests/cli/control_client_test.ts.
 */

import { RefusedError } from "../errors/mod.ts";
import type { HttpHandler, Runtime } from "../runtime/mod.ts";
import {
  createHttpApp,
  createRateLimiter,
  errorResponse,
  healthRoute,
  type MessagingPresence,
  tooManyRequests,
} from "../services/http/mod.ts";
import { VERSION } from "../types/version.ts";

/** From one key. A monitor asks every few seconds. */
const RATE_LIMIT = { perSecond: 5, burst: 50 };

/** How the answers look. The text of a page that is not there is for people who look. */
const ERRORS = {
  contentType: "text/plain",
  known: { "visor/no-page": { status: 404, message: "this visor serves no page here; /health tells how it is\n" } },
  body: (_status: number, message: string): string => message,
};

const NO_PAGE = new RefusedError("visor/no-page", "Answer a request: there is no such page");

/** Makes the handler. */
export function createVisorPage(
  deps: {
    readonly runtime: Pick<Runtime, "clock" | "log" | "random">;
    readonly messaging: MessagingPresence;
  },
): HttpHandler {
  const { runtime, messaging } = deps;
  const { clock, log, random } = runtime;
  const limiter = createRateLimiter({ clock, limit: RATE_LIMIT });
  const noPage = { method: "GET", path: "/", handle: () => errorResponse(NO_PAGE, { format: ERRORS }) } as const;
  const routes = [noPage, healthRoute({ clock, messaging, build: { version: `v${VERSION}` } })];
  const answer = createHttpApp({ routes, errors: ERRORS, log, random });
  return async (request, context) => {
    const waitMs = limiter.take(context.remote);
    if (waitMs > 0) return errorResponse(tooManyRequests(waitMs), { format: ERRORS });
    return await answer(request, context);
  };
}
