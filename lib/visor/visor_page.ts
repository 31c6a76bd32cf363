/**
 * What a visor answers over HTTP at its public key, port 80: `/health` and nothing else. Anybody who knows the key may
 * ask, so nothing is told but that it runs, since when, and where it is reached.
 * Tested in tests/cli/control_client_test.ts.
 */

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

/** From one key: whoever watches visors asks every few seconds. */
const RATE_LIMIT = { perSecond: 5, burst: 50 };

/** How the answers look; there are no errors but those of everybody. */
const ERRORS = { contentType: "text/plain", known: {}, body: (_status: number, message: string): string => message };

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
  const routes = [healthRoute({ clock, messaging, build: { version: `v${VERSION}` } })];
  const answer = createHttpApp({ routes, errors: ERRORS, log, random });
  return async (request, context) => {
    const waitMs = limiter.take(context.remote);
    return waitMs > 0 ? errorResponse(tooManyRequests(waitMs), { format: ERRORS }) : await answer(request, context);
  };
}
