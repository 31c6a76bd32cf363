/** The client of the messaging discovery, for any that speaks the v1.3 API. */

import { ProtocolError, RefusedError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { JsonObject, parseJson } from "../../wire/go_json.ts";
import { decodeEntry, type Entry, formatEntry, parseEntry } from "../../wire/messaging_entry.ts";
import { createServiceClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";
import { ERRORS, PATHS } from "./api.ts";

/**
 * Asks a messaging discovery (dmsg.md §6).
 *
 * Every method throws {UnavailableError} `http/unreachable` or `http/timeout` when there is no answer, and
 * `discovery/failed` when the discovery is in trouble; {RefusedError} `discovery/…`, such as
 * `discovery/wrong-sequence`, with the text on the wire as `details.message`; {ProtocolError} `discovery/bad-answer` for
 * an answer that nobody can read.
 */
export interface MessagingDiscoveryClient {
  /** Asks for the entry of a key; undefined when there is none. The caller checks its signature. */
  entry(key: PublicKey): Promise<Entry | undefined>;
  /**
   * Posts a signed entry. The entry of a client expires after 3 minutes unless it is posted again.
   * @param entry newer than the stored one, by sequence and timestamp
   * @param options `removedByNewer`: only a newer entry may remove this one; a discovery of v1.3 ignores it
   */
  publish(entry: Entry, options?: { readonly removedByNewer?: boolean }): Promise<void>;
  /**
   * Removes the entry of a key. Harmless when there is none.
   * @param entry a newer signed entry of the key, or the stored one
   */
  remove(entry: Entry): Promise<void>;
  /** Asks whether there is an entry of the key, without reading it. */
  isStored(key: PublicKey): Promise<boolean>;
  /** Lists servers that take more sessions, the freest first. Signatures prove nothing here (dmsg.md §6.4). */
  availableServers(): Promise<Entry[]>;
  /** Lists all servers, full ones included. */
  allServers(): Promise<Entry[]>;
}

/** What a client of a messaging discovery needs. `{ ...runtime, url }` fits. */
export interface MessagingDiscoveryClientDeps extends ServiceClientDeps {
  /** Do entries of clients expire unless they are posted again? Otherwise they stay until removed. Default true. */
  readonly expires?: boolean;
}

/**
 * Makes a client of a messaging discovery.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createMessagingDiscovery, createMessagingDiscoveryClient } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * // The discovery is in this process, so no server is needed. A client of another takes `http: runtime.http`.
 * const http = await createMessagingDiscovery({ runtime });
 * const client = createMessagingDiscoveryClient({ ...runtime, http, url: "http://discovery" });
 * assert((await client.availableServers()).length === 0);
 * await http.close();
 * ```
 */
export function createMessagingDiscoveryClient(deps: MessagingDiscoveryClientDeps): MessagingDiscoveryClient {
  const send = createServiceClient(deps);
  const { expires = true } = deps;

  const list = async (path: string): Promise<Entry[]> => {
    const answer = await send({ method: "GET", path, isList: true });
    if (answer.status === 404) return [];
    const items = parseJson(textOf(answer));
    if (!Array.isArray(items)) throw badAnswer(path);
    // One entry that nobody can read must not hide the others.
    return items.map(decodeEntry).filter((entry): entry is Entry => !(entry instanceof Fault));
  };

  return {
    entry: async (key) => {
      const answer = await send({ method: "GET", path: `${PATHS.entry}/${key}` });
      if (answer.status === 404) return undefined;
      const entry = parseEntry(textOf(answer));
      if (entry instanceof Fault || entry.static !== key) throw badAnswer(PATHS.entry);
      return entry;
    },
    publish: async (entry, { removedByNewer = false } = {}) => {
      const query = [
        ...(expires && entry.server === undefined ? ["timeout=true"] : []),
        ...(removedByNewer ? ["removal=newer"] : []),
      ];
      textOf(
        await send({
          method: "POST",
          path: `${PATHS.entry}/${query.length === 0 ? "" : `?${query.join("&")}`}`,
          headers: { "content-type": "application/json" },
          body: formatEntry(entry),
        }),
      );
    },
    remove: async (entry) => {
      textOf(await send({ method: "DELETE", path: PATHS.entry, body: formatEntry(entry) }));
    },
    isStored: async (key) => {
      const answer = await send({ method: "GET", path: `${PATHS.entry}/${key}` });
      if (answer.status === 404) return false;
      textOf(answer);
      return true;
    },
    availableServers: () => list(PATHS.availableServers),
    allServers: () => list(PATHS.allServers),
  };
}

/** The text of a good answer. */
function textOf(answer: ServiceAnswer): string {
  if (answer.status === 200) return answer.text;
  throw errorOf(answer);
}

function errorOf({ status, text }: ServiceAnswer): SkywireError {
  const body = JsonObject.parse(text);
  const message = body instanceof JsonObject ? body.string("message") : "";
  const code = Object.keys(ERRORS).find((code) => ERRORS[code]?.message === message && code !== "internal");
  const details = { message, status };
  if (status >= 500) {
    return new UnavailableError("discovery/failed", `Ask the messaging discovery: it answered ${status}`, { details });
  }
  return new RefusedError(code ?? "discovery/refused", `Ask the messaging discovery: ${message || status}`, {
    details,
  });
}

function badAnswer(path: string): ProtocolError {
  return new ProtocolError("discovery/bad-answer", `Read the answer of the messaging discovery to ${path}`);
}
