/**
 * The join ticket: one line of text that holds a network configuration, to be pasted from one machine to another. It has
 * a form that programs read and write easily, and a short one for people, for networks whose services have one host.
 *
 *     skywire1.<base64url of the JSON>.<first 8 hex digits of its SHA-256>
 *     skywire2.<base64url of `short_network.ts`>.<first 8 hex digits of its SHA-256>
 *
 * The digest is there against a line that was cut or mistyped, not against forgery.
 */

import * as v from "valibot";
import { RefusedError } from "../errors/mod.ts";
import { sha256 } from "../core/mod.ts";
import { formatHex } from "../types/mod.ts";
import { type NetworkConfig, networkConfigSchema } from "./network_config.ts";
import { decodeShortNetwork, encodeShortNetwork } from "./short_network.ts";
import { formatProblems, problemsOf } from "../check/mod.ts";

const PREFIX = "skywire1";
const SHORT_PREFIX = "skywire2";
const DIGEST_DIGITS = 8;

/** A ticket of a hundred servers has half of it. */
const MAX_TICKET_CHARACTERS = 16_384;

/**
 * Writes a ticket.
 *
 * ```ts
 * import { formatTicket, parseTicket } from "./mod.ts";
 * import type { PublicKey } from "../types/mod.ts";
 *
 * const ticket = formatTicket({
 *   messagingDiscovery: "http://vpn.example.org:9090",
 *   transportDiscovery: "http://vpn.example.org:9091",
 *   setupNodes: [`02${"ab".repeat(32)}` as PublicKey],
 * });
 * if (parseTicket(ticket).messagingDiscovery !== "http://vpn.example.org:9090") throw new Error("never");
 * ```
 */
export function formatTicket(network: NetworkConfig): string {
  return formatBody(PREFIX, new TextEncoder().encode(JSON.stringify(network)));
}

/** Writes a short ticket where the network allows it, else one as {@link formatTicket} does. */
export function formatShortTicket(network: NetworkConfig): string {
  const bytes = encodeShortNetwork(network);
  return bytes === undefined ? formatTicket(network) : formatBody(SHORT_PREFIX, bytes);
}

/**
 * Reads a ticket.
 * @throws {RefusedError} `config/bad-ticket`, which says what is wrong with it
 */
export function parseTicket(ticket: string): NetworkConfig {
  if (ticket.length > MAX_TICKET_CHARACTERS) throw badTicket(`it has more than ${MAX_TICKET_CHARACTERS} characters`);
  const [prefix, body, check, ...rest] = ticket.trim().split(".");
  if (prefix !== PREFIX && prefix !== SHORT_PREFIX) {
    throw badTicket(`it begins neither with "${SHORT_PREFIX}." nor with "${PREFIX}."`);
  }
  if (body === undefined || check === undefined || rest.length > 0) {
    throw badTicket("a part is missing; copy all of it");
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(body, { alphabet: "base64url" });
  } catch (cause) {
    throw badTicket("it has characters that do not belong there", cause);
  }
  if (digest(bytes) !== check) throw badTicket("its check digits do not fit; copy it again");
  const value = prefix === PREFIX ? parseJson(bytes) : decodeShortNetwork(bytes);
  const result = v.safeParse(networkConfigSchema, value);
  if (!result.success) throw badTicket(formatProblems(problemsOf(result.issues)));
  return result.output;
}

function formatBody(prefix: string, bytes: Uint8Array): string {
  return [prefix, bytes.toBase64({ alphabet: "base64url", omitPadding: true }), digest(bytes)].join(".");
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw badTicket("its content is no JSON", cause);
  }
}

function digest(bytes: Uint8Array): string {
  return formatHex(sha256(bytes)).slice(0, DIGEST_DIGITS);
}

function badTicket(reason: string, cause?: unknown): RefusedError {
  return new RefusedError("config/bad-ticket", `Read the ticket: ${reason}`, { cause });
}
