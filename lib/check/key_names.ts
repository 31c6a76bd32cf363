/**
 * Keys as people write them: whole, shortened to their first digits, or by a name. No text is two of these.
 *
 * A name is a label of a host name, since it also stands in `NAME.sky`.
 */

import { parseTransportId } from "../types/mod.ts";

/** What is said where a text is none. */
export const WANTED_KEY = "wanted a public key, its first 8 digits or more, or a name";

/** What is said where a text is no name. */
export const WANTED_NAME =
  'wanted a name of 1–63 small letters, digits and "-" that does not begin or end with "-" or look like a key or id';

/** Is it a public key, its first 8 digits or more, or a name? In small letters. */
export function isKeyText(text: string): boolean {
  return isKeyStart(text) || isKeyName(text);
}

/** Is it a public key, or its first 8 digits or more? */
export function isKeyStart(text: string): boolean {
  return /^[0-9a-f]{8,66}$/.test(text);
}

/**
 * Can it be the name of a key? Refused is what could be taken for the beginning of a key, which is `0` and hex digits, for
 * a shortened one or the id of a transport, and what a URL reads as a name in another script.
 */
export function isKeyName(text: string): boolean {
  const isLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
  const looksLikeKey = /^(0[0-9a-f]*|[0-9a-f]{8,})$/.test(text);
  return isLabel && !looksLikeKey && !text.startsWith("xn--") && parseTransportId(text) === undefined;
}
