/**
 * The join ticket: one line of text that holds a network configuration, to be pasted from one machine to another.
 *
 *     skywire1.<base64url of the JSON>.<first 8 hex digits of its SHA-256>
 *
 * The digest is there against a line that was cut or mistyped, not against forgery.
 */

import * as v from "valibot";
import { RefusedError } from "../errors/mod.ts";
import { sha256 } from "../core/mod.ts";
import { formatHex } from "../types/mod.ts";
import { type NetworkConfig, networkConfigSchema } from "./network_config.ts";
import { formatProblems, problemsOf } from "../check/mod.ts";

const PREFIX = "skywire1";
const DIGEST_DIGITS = 8;

/** A ticket of a hundred servers has half of it. */
const MAX_TICKET_CHARACTERS = 16_384;

/** Writes a ticket. */
export function formatTicket(network: NetworkConfig): string {
  const json = new TextEncoder().encode(JSON.stringify(network));
  return [PREFIX, json.toBase64({ alphabet: "base64url", omitPadding: true }), digest(json)].join(".");
}

/**
 * Reads a ticket.
 * @throws {RefusedError} `config/bad-ticket`, which says what is wrong with it
 */
export function parseTicket(ticket: string): NetworkConfig {
  if (ticket.length > MAX_TICKET_CHARACTERS) throw badTicket(`it has more than ${MAX_TICKET_CHARACTERS} characters`);
  const [prefix, body, check, ...rest] = ticket.trim().split(".");
  if (prefix !== PREFIX) throw badTicket(`it does not begin with "${PREFIX}."`);
  if (body === undefined || check === undefined || rest.length > 0) {
    throw badTicket("a part is missing; copy all of it");
  }
  let json: Uint8Array;
  try {
    json = Uint8Array.fromBase64(body, { alphabet: "base64url" });
  } catch (cause) {
    throw badTicket("it has characters that do not belong there", cause);
  }
  if (digest(json) !== check) throw badTicket("its check digits do not fit; copy it again");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(json));
  } catch (cause) {
    throw badTicket("its content is no JSON", cause);
  }
  const result = v.safeParse(networkConfigSchema, value);
  if (!result.success) throw badTicket(formatProblems(problemsOf(result.issues)));
  return result.output;
}

function digest(json: Uint8Array): string {
  return formatHex(sha256(json)).slice(0, DIGEST_DIGITS);
}

function badTicket(reason: string, cause?: unknown): RefusedError {
  return new RefusedError("config/bad-ticket", `Read the ticket: ${reason}`, { cause });
}
