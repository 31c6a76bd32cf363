/** HTTP at public keys, over the control API. */

import * as v from "valibot";
import { answer, type ContentOperation, type ControlRoute } from "../control/operation.ts";
import type { KeyBook } from "../key_book.ts";
import type { HttpPart } from "./part.ts";

/** The header in which the answer says with which status the other side answered. */
export const STATUS_HEADER = "skywire-status";

const isHttp = (text: string): boolean => URL.parse(text)?.protocol === "http:";

/** `http get` */
export const HTTP_GET: ContentOperation<{ url: string }> = {
  method: "POST",
  path: "/v1/http/get",
  summary: `The body of a URL whose host is a public key, and its status in the header ${STATUS_HEADER}`,
  body: v.strictObject({ url: v.pipe(v.string(), v.check(isHttp, "wanted http://PK.sky/…")) }),
  content: "application/octet-stream",
};

/** Answered. */
export function httpRoutes(part: HttpPart, keys: KeyBook): ControlRoute[] {
  return [
    answer(HTTP_GET, async ({ body: { url }, request: { signal } }) => {
      const { status, body } = await part.fetch(new Request(await withWholeKey(url, keys), { signal }));
      // The answer of the other side is content here, whatever its status.
      return new Response(body, {
        headers: { "content-type": "application/octet-stream", [STATUS_HEADER]: `${status}` },
      });
    }),
  ];
}

/** A URL whose host may be a shortened key. */
async function withWholeKey(text: string, keys: KeyBook): Promise<URL> {
  const url = new URL(text);
  const short = /^([0-9a-f]{8,66})\.sky$/.exec(url.hostname)?.[1];
  if (short !== undefined) url.hostname = `${await keys.complete(short)}.sky`;
  return url;
}
