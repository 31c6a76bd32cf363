/** HTTP at public keys, over the control API. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { answer, type ContentOperation, type ControlRoute } from "../control/operation.ts";
import type { HttpPart } from "./part.ts";

/** The header in which the answer says with which status the other side answered. */
export const STATUS_HEADER = "skywire-status";

const isHttp = (text: string): boolean => URL.parse(text)?.protocol === "http:";

/** `http get` */
export const HTTP_GET: ContentOperation<{ url: string }> = {
  method: "POST",
  path: "/v1/http/get",
  summary:
    `The body of a URL whose host is a public key or a name with .sky, and its status in the header ${STATUS_HEADER}`,
  body: v.strictObject({ url: v.pipe(v.string(), v.check(isHttp, "wanted http://PK.sky/…")) }),
  content: "application/octet-stream",
};

/** The route of the operation. */
export function httpRoutes(part: HttpPart): ControlRoute[] {
  return [
    answer(HTTP_GET, async ({ body: { url }, request: { signal } }) => {
      const { status, body } = await part.fetch(new Request(url, { signal }));
      // The answer of the other side is content here, whatever its status.
      return new Response(body, {
        headers: { "content-type": "application/octet-stream", [STATUS_HEADER]: `${status}` },
      });
    }),
  ];
}
