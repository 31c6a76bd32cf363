/** Names over the control API. Tested in tests/visor/names/part_test.ts. */

import * as v from "valibot";
import { keyText } from "../control/keys.ts";
import { answer, type ControlRoute, operation } from "../control/operation.ts";
import type { KeyBook } from "../key_book.ts";
import type { NamesPart } from "./part.ts";
import { nameSchema } from "./view.ts";

const names = v.object({ names: v.array(nameSchema) });

/** `name ls` */
export const LIST_NAMES = operation({
  method: "GET",
  path: "/v1/names",
  summary: "The names of keys, in the order of the alphabet",
  answer: names,
});

/** `name set` */
export const SET_NAME = operation({
  method: "PUT",
  path: "/v1/names/:name",
  summary: "Names a key; one that had the name loses it",
  body: v.strictObject({ publicKey: keyText }),
  answer: names,
});

/** `name rm` */
export const REMOVE_NAME = operation({
  method: "DELETE",
  path: "/v1/names/:name",
  summary: "Forgets a name",
  answer: names,
});

/** The routes of these operations. */
export function nameRoutes(part: NamesPart, keys: KeyBook): ControlRoute[] {
  return [
    answer(LIST_NAMES, () => ({ names: [...part.list()] })),
    answer(SET_NAME, async (call) => {
      await part.set(call.param("name"), await keys.complete(call.body.publicKey));
      return { names: [...part.list()] };
    }),
    answer(REMOVE_NAME, async (call) => {
      await part.remove(call.param("name"));
      return { names: [...part.list()] };
    }),
  ];
}
