/**
 * The messaging discovery over HTTP: from requests to the rules, and from what they say to answers. Tested in
 * tests/services/messaging_discovery/vectors_test.ts.
 */

import { parsePublicKeyText } from "../../core/mod.ts";
import { ProtocolError } from "../../errors/mod.ts";
import type { Timers } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { type Entry, parseEntry } from "../../wire/messaging_entry.ts";
import {
  type DocumentedRoute,
  type HttpCall,
  JSON_TYPE,
  parseStruckOut,
  readBody,
  refuseMonitor,
  TextResponse,
} from "../http/mod.ts";
import { DONE, formatMessage, MAX_BODY_BYTES, PATHS } from "./api.ts";
import { DOCS } from "./docs.ts";
import { type DiscoveryLogic, makeError } from "./logic.ts";

/** What the routes need. */
export interface DiscoveryRoutesDeps {
  readonly logic: DiscoveryLogic;
  readonly timers: Timers;
  /** Keys of network monitors. */
  readonly monitors: readonly PublicKey[];
}

/** The routes of the API. */
export function discoveryRoutes(deps: DiscoveryRoutesDeps): readonly DocumentedRoute[] {
  const { logic, timers, monitors } = deps;

  const post = async (call: HttpCall): Promise<Response> => {
    const entry = await readEntry(call.request, timers);
    const isFirst = await logic.publish(entry, {
      expires: call.query("timeout") === "true",
      host: hostOf(call.remote),
      removedByNewer: call.query("removal") === "newer",
    });
    return done(isFirst ? DONE.created : DONE.updated);
  };

  return [
    {
      method: "GET",
      path: `${PATHS.entry}/:key`,
      doc: DOCS.entry,
      handle: async (call) => json(await logic.entry(readKey(call.param("key")))),
    },
    { method: "POST", path: `${PATHS.entry}/`, doc: DOCS.publish, handle: post },
    { method: "POST", path: `${PATHS.entry}/:key`, doc: DOCS.publishAt, handle: post },
    {
      method: "DELETE",
      path: PATHS.entry,
      doc: DOCS.remove,
      handle: async (call) => {
        await logic.remove(await readEntry(call.request, timers), hostOf(call.remote));
        return done(DONE.removed);
      },
    },
    {
      method: "GET",
      path: PATHS.clients,
      doc: DOCS.clients,
      handle: async () => json(JSON.stringify(await logic.clients())),
    },
    {
      method: "GET",
      path: PATHS.visors,
      doc: DOCS.visors,
      handle: async () => json(JSON.stringify(await logic.visors())),
    },
    {
      method: "GET",
      path: PATHS.availableServers,
      doc: DOCS.availableServers,
      handle: async () => json(joinEntries(await logic.servers({ onlyAvailable: true }))),
    },
    {
      method: "GET",
      path: PATHS.allServers,
      doc: DOCS.allServers,
      handle: async () => json(joinEntries(await logic.servers({ onlyAvailable: false }))),
    },
    {
      method: "DELETE",
      path: PATHS.deregister,
      doc: DOCS.deregister,
      handle: async ({ request }) => {
        const status = refuseMonitor(request.headers, monitors);
        if (status !== undefined) return new Response(null, { status });
        const keys = parseStruckOut(await readBody(request, { maxBytes: MAX_BODY_BYTES, timers }));
        if (keys === undefined) return new Response(null, { status: 400 });
        for (const key of keys.map(readKey)) await logic.strikeOut(key);
        return json("null");
      },
    },
  ];
}

async function readEntry(request: Request, timers: Timers): Promise<Entry> {
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, timers });
  const entry = parseEntry(new TextDecoder().decode(body));
  if (entry instanceof Fault) throw new ProtocolError("discovery/undecodable", entry.message);
  return entry;
}

function readKey(text: string): PublicKey {
  const key = parsePublicKeyText(text);
  if (key === undefined) throw makeError("discovery/bad-input");
  return key;
}

/** Without the port, which is another one each time. */
function hostOf(remote: string): string {
  return remote.slice(0, Math.max(0, remote.lastIndexOf(":")));
}

function done(message: string): Response {
  return json(formatMessage(200, message));
}

function json(text: string): Response {
  return new TextResponse(text, { headers: JSON_TYPE });
}

function joinEntries(texts: readonly string[]): string {
  return `[${texts.join()}]`;
}
