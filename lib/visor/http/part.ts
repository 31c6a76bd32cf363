/** HTTP with whoever serves it at a public key, over messaging. Tested in tests/visor/names/part_test.ts. */

import { isKeyText } from "../../check/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import { overlayAddressOf } from "../../messaging/mod.ts";
import type { Http } from "../../runtime/mod.ts";
import type { KeyBook } from "../key_book.ts";

/** What it is made of. */
export interface HttpDeps {
  /** Reaches public keys. */
  readonly http: Pick<Http, "fetch">;
  readonly keys: Pick<KeyBook, "complete">;
}

/** See the top of the file. */
export class HttpPart {
  readonly #deps: HttpDeps;

  constructor(deps: HttpDeps) {
    this.#deps = deps;
  }

  // Async: what is wrong with the URL comes as a rejection, too.
  async fetch(request: Request): Promise<Response> {
    const url = await this.#withWholeKey(new URL(request.url));
    if (overlayAddressOf(url) !== undefined) return await this.#deps.http.fetch(new Request(url, request));
    throw new RefusedError("http/no-key", `Get "${request.url}": wanted http://PK.sky/… with a public key`);
  }

  /** The key of a URL may be short, or a name. */
  async #withWholeKey(url: URL): Promise<URL> {
    const text = /^(.+)\.sky$/.exec(url.hostname)?.[1] ?? "";
    if (!isKeyText(text)) return url;
    const whole = new URL(url);
    whole.hostname = `${await this.#deps.keys.complete(text)}.sky`;
    return whole;
  }
}
