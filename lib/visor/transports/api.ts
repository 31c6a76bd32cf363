/** Transports over the control API. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { keyText } from "../control/keys.ts";
import { answer, type ControlRoute, operation } from "../control/operation.ts";
import type { KeyBook } from "../key_book.ts";
import type { TransportsPart } from "./part.ts";
import { networkTransportSchema, transportSchema } from "./view.ts";

/** `transport ls` */
export const LIST_TRANSPORTS = operation({
  method: "GET",
  path: "/v1/transports",
  summary: "The transports of this visor",
  answer: v.object({ transports: v.array(transportSchema) }),
});

/** `transport ls --network` */
export const LIST_NETWORK_TRANSPORTS = operation({
  method: "GET",
  path: "/v1/network/transports",
  summary: "The transports of the network, as transport discovery knows them",
  answer: v.object({ transports: v.array(networkTransportSchema) }),
});

/** `transport add` */
export const ADD_TRANSPORT = operation({
  method: "POST",
  path: "/v1/transports",
  summary: "Opens a transport and keeps it up, over restarts too",
  body: v.strictObject({
    remote: keyText,
    type: v.pipe(v.string(), v.minLength(1)),
    address: v.optional(v.string()),
  }),
  answer: v.object({ transport: transportSchema }),
});

/** `transport rm` */
export const REMOVE_TRANSPORT = operation({
  method: "DELETE",
  path: "/v1/transports/:id",
  summary: "Closes a transport and stops keeping it up; the id may be shortened to 8 digits",
  answer: v.object({ removed: v.string() }),
});

/** The routes of these operations. */
export function transportRoutes(part: TransportsPart, keys: KeyBook): ControlRoute[] {
  return [
    answer(LIST_TRANSPORTS, () => ({ transports: part.list() })),
    answer(LIST_NETWORK_TRANSPORTS, async () => ({ transports: await part.network() })),
    answer(ADD_TRANSPORT, async ({ body: { remote, type, address }, request: { signal } }) => ({
      transport: await part.add(await keys.complete(remote), { kind: type, address, signal }),
    })),
    answer(REMOVE_TRANSPORT, async (call) => ({ removed: await part.remove(call.param("id")) })),
  ];
}
