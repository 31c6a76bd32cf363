/**
 * The transport discovery over HTTP: from requests to the rules, and from what they say to answers. Tested in
 * tests/services/transport_discovery/vectors_test.ts.
 */

import { parsePublicKey } from "../../core/mod.ts";
import { ProtocolError, RefusedError } from "../../errors/mod.ts";
import type { Timers } from "../../runtime/mod.ts";
import { parseTransportId, type PublicKey, type TransportId } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { formatTransportEntry } from "../../wire/transport_entry.ts";
import { formatUnlisted, parseStatuses } from "../../wire/transport_status.ts";
import {
  type DocumentedRoute,
  type HttpAuth,
  type HttpCall,
  JSON_TYPE,
  parseStruckOut,
  readBody,
  refuseMonitor,
  TEXT,
  TextResponse,
} from "../http/mod.ts";
import {
  ERROR_FORMAT,
  formatEntries,
  formatError,
  formatMap,
  formatMapTransport,
  formatSignedEntries,
  MAX_BODY_BYTES,
  parseSignedEntries,
  PATHS,
  REMOVED,
} from "./api.ts";
import { DOCS } from "./docs.ts";
import type { ListedTransport, TransportLogic } from "./logic.ts";

/** What the routes need. */
export interface TransportRoutesDeps {
  readonly logic: TransportLogic;
  readonly auth: HttpAuth;
  readonly timers: Timers;
  /** Keys of network monitors. */
  readonly monitors: readonly PublicKey[];
}

/** The routes of the v1.3 API, and those of ours about the status of transports. */
export function transportRoutes(deps: TransportRoutesDeps): readonly DocumentedRoute[] {
  const { logic, auth, timers, monitors } = deps;
  return [
    {
      method: "POST",
      path: PATHS.transports,
      doc: DOCS.register,
      handle: auth.signed(async ({ body, caller }) => {
        const signed = parseSignedEntries(new TextDecoder().decode(body));
        await logic.register(signed ?? [], caller);
        return text(formatSignedEntries(signed), 201);
      }),
    },
    {
      method: "GET",
      path: "/transports/:id{id:[^/]+}",
      doc: DOCS.byId,
      handle: auth.signed(async (call) => {
        const transport = await logic.byId(readId(call));
        if (isBroken(transport)) throw notFound();
        return text(`${formatTransportEntry(transport)}\n`);
      }),
    },
    {
      method: "DELETE",
      path: "/transports/:id{id:[^/]+}",
      doc: DOCS.deregister,
      handle: auth.signed(async (call) => {
        await logic.deregister(readId(call), call.caller);
        return text(REMOVED);
      }),
    },
    {
      method: "GET",
      path: "/transports/:edge{edge:[^/]+}",
      doc: DOCS.byEdge,
      handle: auth.signed(async (call) => text(formatWorking(await logic.byEdge(readEdge(call))))),
    },
    {
      method: "GET",
      path: PATHS.all,
      doc: DOCS.all,
      handle: async (call) => {
        const entries = await logic.all();
        const hidesSelf = call.query("selfTransports") === "hide";
        return text(formatWorking(hidesSelf ? entries.filter(({ edges: [a, b] }) => a !== b) : entries));
      },
    },
    {
      method: "POST",
      path: PATHS.report,
      doc: DOCS.report,
      handle: auth.signed(async ({ body, caller }) => {
        const statuses = parseStatuses(new TextDecoder().decode(body));
        if (statuses instanceof Fault) throw new ProtocolError("transport-discovery/bad-report", statuses.message);
        return json(formatUnlisted(await logic.report(statuses, caller)));
      }),
    },
    { method: "GET", path: PATHS.map, doc: DOCS.map, handle: async () => json(formatMap(await logic.all())) },
    {
      method: "GET",
      path: `${PATHS.map}/:id`,
      doc: DOCS.mapTransport,
      handle: async (call) => {
        const id = parseTransportId(call.param("id"));
        if (id === undefined) throw badId();
        const transport = await logic.byId(id);
        return json(formatMapTransport(transport, logic.views(transport)));
      },
    },
    {
      method: "DELETE",
      path: PATHS.deregister,
      doc: DOCS.strikeOut,
      handle: async ({ request }) => {
        const status = refuseMonitor(request.headers, monitors);
        if (status !== undefined) return new Response(null, { status });
        const texts = parseStruckOut(await readBody(request, { maxBytes: MAX_BODY_BYTES, timers }));
        if (texts === undefined) return new Response(null, { status: 400 });
        return await strikeOut(texts);
      },
    },
    { method: "POST", path: PATHS.statuses, doc: DOCS.statuses, handle: () => new Response(null, { status: 410 }) },
    auth.nonceRoute,
  ];

  /** As v1.3: an id that is none is complained about, the others are struck out all the same. */
  async function strikeOut(texts: readonly string[]): Promise<Response> {
    let complaints = "";
    for (const text of texts) {
      const id = parseTransportId(text);
      if (id === undefined) complaints += formatError(ERROR_FORMAT.known["transport-discovery/bad-id"]?.message ?? "");
      else await logic.strikeOut(id);
    }
    if (complaints === "") return new TextResponse("null", { headers: JSON_TYPE });
    return text(`${complaints}null`, 400);
  }
}

function readId(call: HttpCall): TransportId {
  const id = parseTransportId(call.param("id").slice("id:".length));
  if (id === undefined) throw badId();
  return id;
}

function badId(): ProtocolError {
  return new ProtocolError("transport-discovery/bad-id", "The path holds no transport id");
}

function notFound(): RefusedError {
  return new RefusedError("transport-discovery/not-found", "The transport does not work");
}

/** To v1.3, what is listed works. */
function isBroken({ status }: ListedTransport): boolean {
  return status === "not-working";
}

function formatWorking(transports: readonly ListedTransport[]): string {
  return formatEntries(transports.filter((transport) => !isBroken(transport)));
}

function readEdge(call: HttpCall): PublicKey {
  const key = parsePublicKey(call.param("edge").slice("edge:".length));
  if (key === undefined) throw new ProtocolError("transport-discovery/bad-key", "The path holds no public key");
  return key;
}

function json(body: string): Response {
  return new TextResponse(body, { headers: JSON_TYPE });
}

function text(body: string, status = 200): Response {
  return new TextResponse(body, { status, headers: TEXT });
}
