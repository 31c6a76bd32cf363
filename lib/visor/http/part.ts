/** HTTP with servers at public keys, over messaging. Tested in tests/visor/names/part_test.ts. */

import { isKeyText } from "../../check/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import { type MessagingClient, overlayAddressOf } from "../../messaging/mod.ts";
import type { Http, Timers } from "../../runtime/mod.ts";
import type { KeyBook } from "../key_book.ts";
import { whileOnline } from "../online.ts";

/** What it is made of. */
export interface HttpDeps {
  /** Reaches public keys. */
  readonly http: Pick<Http, "fetch">;
  readonly keys: Pick<KeyBook, "complete">;
  readonly messaging: Pick<MessagingClient, "sessions">;
  readonly timers: Timers;
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
    if (overlayAddressOf(url) !== undefined) {
      const { http, messaging, timers } = this.#deps;
      const asked = new Request(url, request);
      const fetch = (signal: AbortSignal): Promise<Response> => http.fetch(new Request(asked, { signal }));
      return await whileOnline(fetch, { messaging, timers, signal: asked.signal });
    }
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
