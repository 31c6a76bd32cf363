/** `visor.http`: HTTP with servers at public keys. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { httpRoutes } from "./api.ts";
import { HttpPart } from "./part.ts";

/** HTTP at public keys, as `visor.http`. */
export interface VisorHttp {
  /**
   * Sends a request to the HTTP server at a public key, over messaging.
   * @param request its URL is `http://KEY.sky[:port]/path`, where KEY is a public key, its first 8 digits or more, or a
   * name; the default port is 80
   * @throws {RefusedError} `http/no-key` when the URL names no public key; `visor/unknown-name`, `visor/unknown-key` or
   * `visor/ambiguous-key` when KEY does not name one
   * @throws {UnavailableError} `http/unreachable` when there is no answer
   * @throws the reason of the request's signal
   */
  fetch(request: Request): Promise<Response>;
}

/** The capability. */
export const http: Capability<HttpPart, VisorHttp> = {
  makePart: ({ runtime: { timers }, http, keys, messaging }) => new HttpPart({ http, keys, messaging, timers }),
  makeFacet: (part) => ({ fetch: (request) => part.fetch(request) }),
  makeRoutes: httpRoutes,
};
