/** HTTP with whoever serves it at a public key, over messaging. */

import { RefusedError } from "../../errors/mod.ts";
import { overlayAddressOf } from "../../messaging/mod.ts";
import type { Http } from "../../runtime/mod.ts";

/** See the top of the file. */
export class HttpPart {
  readonly #http: Pick<Http, "fetch">;

  /** @param deps HTTP that reaches public keys */
  constructor({ http }: { readonly http: Pick<Http, "fetch"> }) {
    this.#http = http;
  }

  // Async: what is wrong with the URL comes as a rejection, too.
  async fetch(request: Request): Promise<Response> {
    if (overlayAddressOf(new URL(request.url)) !== undefined) return await this.#http.fetch(request);
    throw new RefusedError("http/no-key", `Get "${request.url}": wanted http://PK.sky/… with a public key`);
  }
}
