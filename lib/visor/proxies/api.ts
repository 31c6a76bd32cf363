/** Proxies over the control API. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { keyText, pathSteps } from "../control/keys.ts";
import { answer, type ControlRoute, operation } from "../control/operation.ts";
import type { KeyBook } from "../key_book.ts";
import type { ProxiesPart } from "./part.ts";
import { clientMembers, serverMembers, withWholeKeys } from "./settings.ts";
import { proxySchema } from "./view.ts";

/** Settings whose keys may be short. */
const proxyBody = v.variant("role", [
  v.strictObject({ ...serverMembers, allow: v.array(keyText) }),
  v.strictObject({ ...clientMembers, to: keyText, path: v.optional(pathSteps) }),
]);

/** `proxy ls` */
export const LIST_PROXIES = operation({
  method: "GET",
  path: "/v1/proxies",
  summary: "The proxies of this visor, stopped ones included",
  answer: v.object({ proxies: v.array(proxySchema) }),
});

/** `proxy serve`, `proxy connect` */
export const ADD_PROXY = operation({
  method: "POST",
  path: "/v1/proxies",
  summary: "Sets up a proxy, kept over restarts, and starts it; a server replaces the one before",
  body: proxyBody,
  answer: v.object({ proxy: proxySchema }),
});

/** `proxy rm` */
export const REMOVE_PROXY = operation({
  method: "DELETE",
  path: "/v1/proxies/:id",
  summary: "Stops a proxy and forgets it",
  answer: v.object({ removed: v.string() }),
});

/** The routes of these operations. */
export function proxyRoutes(part: ProxiesPart, keys: KeyBook): ControlRoute[] {
  return [
    answer(LIST_PROXIES, () => ({ proxies: part.list() })),
    answer(ADD_PROXY, async ({ body }) => ({ proxy: await part.add(await withWholeKeys(body, keys)) })),
    answer(REMOVE_PROXY, async (call) => {
      const removed = call.param("id");
      await part.remove(removed);
      return { removed };
    }),
  ];
}
