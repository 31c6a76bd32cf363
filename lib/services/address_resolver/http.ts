/**
 * The address resolver over HTTP: from requests to the rules, and from what they say to answers. Tested in
 * tests/services/address_resolver/vectors_test.ts.
 */

import { parsePublicKey } from "../../core/mod.ts";
import type { Timers } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import {
  type DocumentedRoute,
  type HttpAuth,
  JSON_TYPE,
  parseStruckOut,
  readBody,
  refuseMonitor,
  TextResponse,
  UncountedResponse,
} from "../http/mod.ts";
import {
  formatListed,
  formatVisorAddresses,
  MAX_BODY_BYTES,
  parseLocalAddresses,
  PATHS,
  STCPR,
  SUDPH,
  TYPES,
} from "./api.ts";
import { DOCS } from "./docs.ts";
import type { AddressLogic } from "./logic.ts";
import { clientIp } from "./public_ip.ts";
import type { SudphBindings } from "./sudph.ts";

/** What the routes need. */
export interface AddressRoutesDeps {
  readonly logic: AddressLogic;
  /** Who is bound over UDP, if that is served at the moment. */
  readonly sudph: () => SudphBindings | undefined;
  readonly auth: HttpAuth;
  readonly timers: Timers;
  /** Keys of network monitors. */
  readonly monitors: readonly PublicKey[];
}

/** The routes of the API. */
export function addressRoutes(deps: AddressRoutesDeps): readonly DocumentedRoute[] {
  const { logic, sudph, auth, timers, monitors } = deps;
  return [
    {
      method: "POST",
      path: PATHS.bind,
      doc: DOCS.bind,
      handle: auth.signed(async ({ body, caller, request, remote }) => {
        const local = parseLocalAddresses(new TextDecoder().decode(body));
        // As v1.3, whose clients count on it that the nonce stays (transports.md §7.2).
        if (local instanceof Fault) return new UncountedResponse();
        await logic.bind(caller, { ip: clientIp(request.headers, remote), local });
        return new Response();
      }),
    },
    {
      method: "DELETE",
      path: PATHS.bind,
      doc: DOCS.unbind,
      handle: auth.signed(async ({ caller }) => {
        await logic.unbind(caller);
        return new Response();
      }),
    },
    {
      method: "GET",
      path: `${PATHS.resolve}/:type/:key`,
      doc: DOCS.resolve,
      handle: auth.signed(async (call) => {
        const key = parsePublicKey(call.param("key"));
        if (key === undefined) return new Response(null, { status: 400 });
        const type = call.param("type");
        const visor = type === STCPR ? await logic.resolve(key) : type === SUDPH ? sudph()?.resolve(key) : undefined;
        if (visor === undefined) return new Response(null, { status: 404 });
        if (type === SUDPH) sudph()?.announce(key, call.caller);
        return json(formatVisorAddresses(visor));
      }),
    },
    {
      method: "GET",
      path: PATHS.list,
      doc: DOCS.list,
      handle: async () => json(formatListed({ sudph: sudph()?.listed() ?? [], stcpr: await logic.listed() })),
    },
    {
      method: "DELETE",
      path: `${PATHS.deregister}/:type`,
      doc: DOCS.deregister,
      handle: async (call) => {
        const status = refuseMonitor(call.request.headers, monitors);
        if (status !== undefined) return new Response(null, { status });
        const type = call.param("type");
        const texts = parseStruckOut(await readBody(call.request, { maxBytes: MAX_BODY_BYTES, timers }));
        const keys = texts?.map(parsePublicKey);
        if (!TYPES.includes(type) || keys === undefined || !keys.every((key) => key !== undefined)) {
          return new Response(null, { status: 400 });
        }
        for (const key of keys) {
          if (type === STCPR) await logic.unbind(key);
          else sudph()?.unbind(key);
        }
        return json("null");
      },
    },
    auth.nonceRoute,
  ];
}

function json(body: string): Response {
  return new TextResponse(body, { headers: JSON_TYPE });
}
