/**
 * What v1.3 says about input that it cannot read: its services send to their clients what Go's decoders tell them.
 * Tested in tests/services/transport_discovery/vectors_test.ts.
 */

import { parsePublicKey } from "../../core/mod.ts";
import { NULL_PUBLIC_KEY, type PublicKey } from "../../types/mod.ts";
import { parseJson } from "../../wire/go_json.ts";
import { Fault } from "../../wire/fault.ts";

/**
 * Says what is wrong with a text. The place in the grammar that Go names is always a value here, as it is for everything
 * but exotic input.
 * @param text that `parseJson` refused
 */
export function goSyntaxMessage(text: string): string {
  const bad = firstBadCharacter(text);
  return bad === undefined
    ? "unexpected end of JSON input"
    : `invalid character '${bad}' looking for beginning of value`;
}

/** Go's word for the kind of a parsed JSON value. */
export function goKindOf(value: unknown): "null" | "bool" | "string" | "number" | "array" | "object" {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string" || typeof value === "object") return typeof value as "string" | "object";
  return "number";
}

/**
 * Reads a public key as v1.3 does; text of nothing but zeros is the null key.
 * @returns the key, or what v1.3 says about the text
 */
export function parseGoKey(text: string): PublicKey | Fault {
  if (/^0*$/.test(text)) return NULL_PUBLIC_KEY;
  if (!isHex(text)) return new Fault("key/text", "Invalid public key");
  if (text.length !== 66) return new Fault("key/length", "Invalid public key length");
  return parsePublicKey(text) ?? new Fault("key/point", "Invalid public key");
}

/** Is the text whole bytes in hex, of either case? */
export function isHex(text: string): boolean {
  return /^([0-9a-f]{2})*$/i.test(text);
}

/** The first character after which no text is JSON any more; undefined when only the end is missing. */
function firstBadCharacter(text: string): string | undefined {
  const fault = parseJson(text);
  if (!(fault instanceof Fault)) return undefined;
  const position = /at position (\d+)/.exec(fault.message)?.[1];
  if (position !== undefined) return text[Number(position)];
  const token = /^Unexpected token '(.)'/su.exec(fault.message)?.[1];
  return /end of JSON input/.test(fault.message) ? undefined : token ?? text.trimStart()[0];
}
