/** Bytes and their text forms. */

/**
 * Formats bytes as lower-case hex.
 * @param bytes any length
 * @returns two digits a byte
 */
export function formatHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/**
 * Parses hex of either case.
 * @param text an even number of hex digits
 * @returns the bytes
 * @throws {SyntaxError} when the text is no hex
 */
export function parseHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text);
}

/**
 * Joins byte arrays into one.
 * @param parts any number of arrays, in order
 * @returns a new array; empty when there are no parts
 */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Are two byte arrays equal? The time this takes depends on the bytes, so do not compare secrets with it. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
