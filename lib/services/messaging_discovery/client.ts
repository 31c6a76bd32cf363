/** The client of the messaging discovery, for any that speaks the v1.3 API. */

import { ProtocolError, RefusedError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { JsonObject, parseJson } from "../../wire/go_json.ts";
import { decodeEntry, type Entry, formatEntry, parseEntry } from "../../wire/messaging_entry.ts";
import { createServiceClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";
import { ERRORS, PATHS } from "./api.ts";

/**
 * Asks a messaging discovery. Every method throws {UnavailableError} `http/unreachable`, `http/timeout` or
 * `discovery/failed`; {RefusedError} with a code of `api.ts` and the text on the wire as `details.message`; or
 * {ProtocolError} `discovery/bad-answer`.
 */
export interface MessagingDiscoveryClient {
  /** The entry of a key; undefined when there is none. Whether its signature is good, the caller finds out. */
  entry(key: PublicKey): Promise<Entry | undefined>;
  /**
   * Posts a signed entry. That of a client is to expire after 3 minutes unless it is posted again.
   * @param options `removedByNewer`: ask the discovery to let nothing but a newer entry remove it; v1.3 does not know this
   */
  publish(entry: Entry, options?: { readonly removedByNewer?: boolean }): Promise<void>;
  /** Removes the entry of a key by a newer signed one, or by the stored one. Harmless when there is none. */
  remove(entry: Entry): Promise<void>;
  /** Is there an entry of the key? What it says is not looked at. */
  isStored(key: PublicKey): Promise<boolean>;
  /** Servers that take more sessions, those with most of them first. Signatures prove nothing here (dmsg.md §6.4). */
  availableServers(): Promise<Entry[]>;
  /** All servers. */
  allServers(): Promise<Entry[]>;
}

/** How the client reaches the discovery. `{ ...runtime, url }` fits. */
export interface MessagingDiscoveryClientDeps extends ServiceClientDeps {
  /** Entries of clients expire unless they are posted again; false: they stay until somebody removes them. Default true. */
  readonly expires?: boolean;
}

/** Makes a client. */
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
