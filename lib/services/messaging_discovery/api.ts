/**
 * The HTTP API of the messaging discovery: paths and texts, which clients compare letter by letter (dmsg.md §6.3).
 *
 * | method, path | asks | answers |
 * |---|---|---|
 * | GET `/dmsg-discovery/entry/{key}` | | the entry |
 * | POST `/dmsg-discovery/entry/` | a signed entry; `?timeout=true`: it expires; `?removal=newer` (ours): see `logic.ts` | what was done |
 * | DELETE `/dmsg-discovery/entry` | a signed entry of the key that is newer, or the stored one | what was done |
 * | GET `/dmsg-discovery/entries`, `/dmsg-discovery/visorEntries` | | keys |
 * | GET `/dmsg-discovery/available_servers`, `/dmsg-discovery/all_servers` | | entries |
 * | DELETE `/dmsg-discovery/deregister` | a monitor's headers; keys | `null` |
 *
 * Tested in tests/services/messaging_discovery/client_test.ts.
 */

import type { ErrorFormat, WireError } from "../http/mod.ts";
import { type EntryCause, VALIDATION_PREFIX } from "../../wire/messaging_entry.ts";

/** Paths below the base URL. */
export const PATHS = {
  /** Followed by a key, or by anything where an entry is posted. */
  entry: "/dmsg-discovery/entry",
  clients: "/dmsg-discovery/entries",
  visors: "/dmsg-discovery/visorEntries",
  availableServers: "/dmsg-discovery/available_servers",
  allServers: "/dmsg-discovery/all_servers",
  deregister: "/dmsg-discovery/deregister",
} as const;

/** What is answered to a good request that asks for nothing. */
export const DONE = {
  created: "wrote a new entry",
  updated: "wrote new entry iteration",
  removed: "deleted entry",
} as const;

/** The largest body, bytes: an entry with 900 delegated servers. */
export const MAX_BODY_BYTES = 65_536;

/** How many servers one answer names at most; a random choice of more. */
export const MAX_AVAILABLE_SERVERS = 512;

const CAUSES: Readonly<Record<string, EntryCause>> = {
  "discovery/no-version": "entry has no version",
  "discovery/no-signature": "entry has no signature",
  "discovery/no-key": "entry Keys is nil",
  "discovery/no-part": "entry has neither client or server field",
  "discovery/no-address": "server address cannot be empty",
  "discovery/outdated": "advertised entry has outdated timestamp",
  "discovery/loopback-address": "advertising localhost listening address is not allowed in production mode",
  "discovery/wrong-sequence": "sequence field of new entry is not sequence of old entry + 1",
  "discovery/old-timestamp": "advertised entry timestamp is not greater than previous",
};

/** Every error of the API by the code it has with us, at the server as at the client. */
export const ERRORS: Readonly<Record<string, Required<WireError>>> = {
  "discovery/not-found": { status: 404, message: "entry of public key is not found" },
  "discovery/no-servers": { status: 404, message: "no delegated dmsg servers available for remote" },
  "discovery/bad-signature": { status: 401, message: "invalid signature" },
  "discovery/bad-input": { status: 400, message: "error bad input" },
  // What cannot be decoded is a failure of the server to v1.3 (dmsg.md Q30).
  "discovery/undecodable": { status: 500, message: "something unexpected happened" },
  "internal": { status: 500, message: "something unexpected happened" },
  ...Object.fromEntries(
    Object.entries(CAUSES).map(([code, cause]) => [code, { status: 422, message: VALIDATION_PREFIX + cause }]),
  ),
};

/** The form of errors, and of what was done. */
export const ERROR_FORMAT: ErrorFormat = { contentType: "application/json", known: ERRORS, body: formatMessage };

/** `{"message","code"}`, without a newline. */
export function formatMessage(status: number, message: string): string {
  return JSON.stringify({ message, code: status });
}

/** The code of a cause. */
export function codeOfCause(cause: EntryCause): string {
  return Object.keys(CAUSES).find((code) => CAUSES[code] === cause) as string;
}
