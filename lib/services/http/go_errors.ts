/**
 * What Go's JSON decoder says about a text that is no JSON: v1.3 services send it to their clients as it is. The place in
 * the grammar that Go names is always a value here, as it is for everything but exotic input.
 */

import { parseJson } from "../../wire/go_json.ts";
import { Fault } from "../../wire/fault.ts";

/**
 * Says what is wrong with a text.
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

/** The first character after which no text is JSON any more; undefined when only the end is missing. */
function firstBadCharacter(text: string): string | undefined {
  const fault = parseJson(text);
  if (!(fault instanceof Fault)) return undefined;
  const position = /at position (\d+)/.exec(fault.message)?.[1];
  if (position !== undefined) return text[Number(position)];
  const token = /^Unexpected token '(.)'/su.exec(fault.message)?.[1];
  return /end of JSON input/.test(fault.message) ? undefined : token ?? text.trimStart()[0];
}
