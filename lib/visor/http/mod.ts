/** `visor.http`: HTTP with servers at public keys. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { httpRoutes } from "./api.ts";
import { HttpPart } from "./part.ts";

/** HTTP at public keys, as `visor.http`. */
export interface VisorHttp {
  /**
   * Asks the HTTP server at a public key, over messaging: `http://<key>.sky[:port]/path`, port 80 unless named. The
   * key may be shortened to its first 8 digits, or be a name.
   * @throws {RefusedError} `http/no-key` when the URL names no public key; `visor/unknown-name`, `visor/unknown-key`
   * @throws {UnavailableError} `http/unreachable`; the reason of the request's signal
   */
  fetch(request: Request): Promise<Response>;
}

/** The capability. */
export const http: Capability<HttpPart, VisorHttp> = {
  makePart: ({ runtime: { timers }, http, keys, messaging }) => new HttpPart({ http, keys, messaging, timers }),
  makeFacet: (part) => ({ fetch: (request) => part.fetch(request) }),
  makeRoutes: httpRoutes,
};
