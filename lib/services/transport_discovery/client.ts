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
 * Asks a transport discovery (transports.md §6). Requests are signed, but for `all` and `map`.
 *
 * Every method throws {UnavailableError} `http/unreachable` or `http/timeout` when there is no answer, and
 * `transport-discovery/failed` when the discovery is in trouble; {RefusedError} `transport-discovery/unauthorized` or
 * `transport-discovery/refused`, with the text on the wire as `details.message`; {ProtocolError}
 * `transport-discovery/bad-answer` for an answer that nobody can read.
 */
export interface TransportDiscoveryClient {
  /**
   * Registers transports of this visor. Registering again is harmless.
   * @param signed entries with the signatures of both edges
   */
  register(signed: readonly SignedEntry[]): Promise<void>;
  /** Removes a transport of this visor. Harmless when the other edge has removed it. */
  deregister(id: TransportId): Promise<void>;
  /** Asks for one transport; undefined when there is none. */
  byId(id: TransportId): Promise<TransportEntry | undefined>;
  /** Lists the transports of a visor. */
  byEdge(key: PublicKey): Promise<TransportEntry[]>;
  /** Lists the transports of all visors. */
  all(): Promise<TransportEntry[]>;
  /**
   * Reports the state of transports of this visor.
   * @param statuses at most 250
   * @returns the transports that the discovery does not list; undefined when it takes no reports, as in v1.3
   */
  report(statuses: readonly EdgeStatus[]): Promise<readonly TransportId[] | undefined>;
  /** Lists the transports of all visors with their state and figures. A discovery of v1.3 knows neither. */
  map(): Promise<MapTransport[]>;
}

/** What a client of a transport discovery needs. `{ ...runtime, url, secret }` fits. */
export interface TransportDiscoveryClientDeps extends ServiceClientDeps {
  /** The key of the visor whose transports are registered; it signs the requests. The client does not dispose it. */
  readonly secret: SecretKey;
}

/**
 * Makes a client of a transport discovery.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { generateSecretKey, publicKeyOf } from "../../core/mod.ts";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { makeTransportEntry, signTransportEntry } from "../../wire/transport_entry.ts";
 * import { createTransportDiscovery, createTransportDiscoveryClient } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * using secret = generateSecretKey(runtime.random);
 * using other = generateSecretKey(runtime.random);
 * // The discovery is in this process, so no server is needed. A client of another takes `http: runtime.http`.
 * const http = await createTransportDiscovery({ runtime });
 * const client = createTransportDiscoveryClient({ ...runtime, http, url: "http://discovery", secret });
 *
 * const entry = makeTransportEntry(publicKeyOf(secret), publicKeyOf(other), { kind: "stcp", label: "user" });
 * const half = signTransportEntry(entry, { publicKey: publicKeyOf(secret), secret });
 * await client.register([signTransportEntry(half, { publicKey: publicKeyOf(other), secret: other })]);
 * assert((await client.byId(entry.id))?.kind === "stcp");
 * await http.close();
 * ```
 */
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
