/**
 * Text of others made safe for a terminal. A terminal obeys escape sequences: a peer's error text could clear the
 * screen, type into the shell, or show something else than it says.
 */

/**
 * Control characters of ASCII except tab and line feed, those of Latin-1, and the marks that turn the direction of
 * writing, which can show one text and mean another.
 */
// deno-lint-ignore no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** What this program itself sends to a terminal: bold on, bold off. */
// deno-lint-ignore no-control-regex -- they are what is looked for
const BOLD = /(\x1b\[1m|\x1b\[22m)/;

/** The text with everything that a terminal obeys written as `\u001b`; tabs and line feeds stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** As {@link printable}, but bold text stays bold. */
export function printableWithBold(text: string): string {
  // Odd parts are the separators.
  return text.split(BOLD).map((part, i) => i % 2 === 1 ? part : printable(part)).join("");
}
