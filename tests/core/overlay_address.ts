/**
 * Text form of an address on the overlay: `<66 hex digits>:<port>`, where port 0 prints as `~` (dmsg.md §0).
 */

import { NULL_PUBLIC_KEY } from "../../lib/types/mod.ts";
import type { OverlayAddress, Port, PublicKey } from "../../lib/types/mod.ts";

/** What tells a public key from other text: `isValidPublicKey` of `lib/core`. */
export interface KeyCheck {
  /** Is it 66 hex digits of a point on the curve? */
  isValidPublicKey(text: string): boolean;
}

/**
 * Reads an address as v1.3 does: a key alone has port 0, so has an empty port or `~`; an empty key before a colon is the
 * null key; spaces around either part do not count.
 * @param text the address
 * @param check whether a text is a public key
 * @returns the address, or undefined when the text is none
 */
export function parseOverlayAddress(text: string, check: KeyCheck): OverlayAddress | undefined {
  const [keyText = "", portText, ...more] = text.split(":").map((part) => part.trim());
  if (more.length > 0) return undefined;
  const publicKey = parseKey(keyText, { check, mayBeNull: portText !== undefined });
  const port = parsePort(portText ?? "");
  return publicKey === undefined || port === undefined ? undefined : { publicKey, port };
}

/** Writes an address; the port 0 becomes `~`. */
export function formatOverlayAddress(address: OverlayAddress): string {
  return `${address.publicKey}:${address.port === 0 ? "~" : address.port}`;
}

function parseKey(text: string, options: { check: KeyCheck; mayBeNull: boolean }): PublicKey | undefined {
  if (text === "") return options.mayBeNull ? NULL_PUBLIC_KEY : undefined;
  return options.check.isValidPublicKey(text) ? text.toLowerCase() as PublicKey : undefined;
}

function parsePort(text: string): Port | undefined {
  if (text === "" || text === "~") return 0;
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 0xffff ? port : undefined;
}
