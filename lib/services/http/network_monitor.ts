/**
 * What a network monitor may do: strike out records of visors that are gone. It shows a key from a list of the operator
 * and a signature over the text of that key; the signature is always the same, so anybody who saw it can repeat it
 * (dmsg.md §6.7, transports.md §6.7). Empty list, no monitor.
 * Tested in tests/services/transport_discovery/vectors_test.ts.
 */

import { parseSignature } from "../../core/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { MONITOR_HEADERS, verifyMonitor } from "../../wire/http_auth.ts";
import { parseJson } from "../../wire/go_json.ts";

/**
 * Is the request from a monitor of the list?
 * @param headers of the request
 * @param allowed keys of the list
 * @returns the status of the answer, whose body is empty, when it is not
 */
export function refuseMonitor(headers: Headers, allowed: readonly PublicKey[]): 400 | 403 | undefined {
  const key = allowed.find((key) => key === headers.get(MONITOR_HEADERS.publicKey));
  if (key === undefined) return 403;
  const signature = parseSignature(headers.get(MONITOR_HEADERS.signature) ?? "");
  if (signature === undefined) return 400;
  return verifyMonitor(key, signature) ? undefined : 403;
}

/** The body of a monitor: a list of texts, or undefined when it is none. */
export function parseStruckOut(body: Uint8Array): readonly string[] | undefined {
  const json = parseJson(new TextDecoder().decode(body));
  if (json === null) return [];
  return Array.isArray(json) && json.every((item) => typeof item === "string") ? json : undefined;
}
