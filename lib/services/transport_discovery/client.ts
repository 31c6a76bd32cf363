/**
 * The client of the transport discovery, for any that speaks the v1.3 API. Tested in
 * tests/services/transport_discovery/status_test.ts.
 */

import { ProtocolError, RefusedError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import type { PublicKey, SecretKey, TransportId } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { JsonObject, parseJson } from "../../wire/go_json.ts";
import { decodeTransportEntry, type SignedEntry, type TransportEntry } from "../../wire/transport_entry.ts";
import { type EdgeStatus, formatStatuses, parseUnlisted } from "../../wire/transport_status.ts";
import { createServiceClient, createSignedClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";
import type { MapTransport } from "../../wire/map_transport.ts";
import { formatSignedEntries, parseMap, PATHS } from "./api.ts";
import { decodeEntries } from "./feed_http.ts";

/**
 * Asks a transport discovery; requests that need it are signed. Every method throws {UnavailableError}
 * `http/unreachable`, `http/timeout` or `transport-discovery/failed`; {RefusedError} `transport-discovery/unauthorized`
 * or `transport-discovery/refused`, with the text on the wire as `details.message`; or {ProtocolError}
 * `transport-discovery/bad-answer`.
 */
export interface TransportDiscoveryClient {
  /** Registers transports of ours, signed by both edges. Registering again is harmless. */
  register(signed: readonly SignedEntry[]): Promise<void>;
  /** Removes a transport of ours. Harmless when the other edge was faster. */
  deregister(id: TransportId): Promise<void>;
  /** One transport; undefined when there is none. */
  byId(id: TransportId): Promise<TransportEntry | undefined>;
  /** The transports of a visor. */
  byEdge(key: PublicKey): Promise<TransportEntry[]>;
  /** The transports of all visors. Not signed. */
  all(): Promise<TransportEntry[]>;
  /**
   * Says how transports of ours are.
   * @param statuses {@link MAX_STATUSES} at most
   * @returns those that are not listed; undefined when the discovery takes no reports, as those of v1.3
   */
  report(statuses: readonly EdgeStatus[]): Promise<readonly TransportId[] | undefined>;
  /** The transports of all visors and how they are; a discovery of v1.3 knows of no status. Not signed. */
  map(): Promise<MapTransport[]>;
}

/** How the client reaches the discovery. `{ ...runtime, url, secret }` fits. */
export interface TransportDiscoveryClientDeps extends ServiceClientDeps {
  /** Of the visor whose transports are registered. Not disposed by the client. */
  readonly secret: SecretKey;
}

/** Makes a client. */
export function createTransportDiscoveryClient(deps: TransportDiscoveryClientDeps): TransportDiscoveryClient {
  const signed = createSignedClient(deps);
  const plain = createServiceClient(deps);
  return {
    register: async (entries) => {
      const answer = await signed({ method: "POST", path: PATHS.transports, body: formatSignedEntries(entries) });
      if (!isRegistered(answer)) throw errorOf(answer);
    },
    deregister: async (id) => {
      const answer = await signed({ method: "DELETE", path: `${PATHS.byId}:${id}` });
      if (answer.status !== 200 && answer.status !== 404) throw errorOf(answer);
    },
    byId: async (id) => {
      const answer = await signed({ method: "GET", path: `${PATHS.byId}:${id}` });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw errorOf(answer);
      const json = parseJson(answer.text);
      const entry = json instanceof Fault ? json : decodeTransportEntry(json);
      if (entry instanceof Fault || entry.id !== id) throw badAnswer();
      return entry;
    },
    // Without transports v1.3 answers 200 or 404, depending on its database.
    byEdge: async (key) => listOf(await signed({ method: "GET", path: `${PATHS.byEdge}:${key}`, isList: true })),
    all: async () => listOf(await plain({ method: "GET", path: PATHS.all, isList: true })),
    report: async (statuses) => {
      const answer = await signed({ method: "POST", path: PATHS.report, body: formatStatuses(statuses) });
      if (isUnknownPath(answer)) return undefined;
      if (answer.status !== 200) throw errorOf(answer);
      const unlisted = parseUnlisted(answer.text);
      if (unlisted instanceof Fault) throw badAnswer();
      return unlisted;
    },
    map: async () => {
      const answer = await plain({ method: "GET", path: PATHS.map, isList: true });
      if (isUnknownPath(answer)) {
        const entries = listOf(await plain({ method: "GET", path: PATHS.all, isList: true }));
        return entries.map((entry) => ({ ...entry, status: "unknown" }));
      }
      if (answer.status !== 200) throw errorOf(answer);
      return parseMap(answer.text) ?? reject(badAnswer());
    },
  };
}

/** v1.3 with PostgreSQL answers 500 to what it knows already. */
function isRegistered({ status, text }: ServiceAnswer): boolean {
  return status >= 200 && status < 300 || status === 409 || (status === 500 && text.includes("duplicate key"));
}

function isUnknownPath({ status }: ServiceAnswer): boolean {
  return status === 404 || status === 405;
}

function listOf(answer: ServiceAnswer): TransportEntry[] {
  if (answer.status === 404) return [];
  if (answer.status !== 200) throw errorOf(answer);
  const entries = decodeEntries(parseJson(answer.text));
  if (entries === undefined) throw badAnswer();
  return [...entries];
}

function errorOf({ status, text }: ServiceAnswer): SkywireError {
  const body = JsonObject.parse(text);
  const message = body instanceof JsonObject && body.object("error") === undefined ? body.string("error") : text.trim();
  const details = { status, message: message.slice(0, 200) };
  if (status >= 500) {
    return new UnavailableError("transport-discovery/failed", `Ask the transport discovery: it answered ${status}`, {
      details,
    });
  }
  const code = status === 401 ? "transport-discovery/unauthorized" : "transport-discovery/refused";
  return new RefusedError(code, `Ask the transport discovery: ${details.message || status}`, { details });
}

function reject(error: Error): never {
  throw error;
}

function badAnswer(): ProtocolError {
  return new ProtocolError("transport-discovery/bad-answer", "Read the answer of the transport discovery");
}
