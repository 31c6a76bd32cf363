/**
 * JSON as Go's two encoders write it and its decoders read it, which is what signatures and exact bodies hang on:
 *
 * - strings: both escape `"`, `\`, LF, CR and TAB by letter and other control characters as `\u00xx`; `encoding/json`
 *   (transport entries, handshake frames) also escapes `<`, `>`, `&`, U+2028 and U+2029, the encoder of messaging entries
 *   does not (transports.md §0.2, dmsg.md §6.2);
 * - integers have 64 bits and must not pass through a double;
 * - reading is lenient: any member order, any case of names, unknown members ignored, `null` and absent mean zero.
 */

import { parsePublicKeyText } from "../core/mod.ts";
import { NULL_PUBLIC_KEY, type PublicKey } from "../types/mod.ts";
import { Fault } from "./fault.ts";

/** Longer texts are refused unread: this is a list of a hundred thousand transports. Who expects less sets smaller limits. */
export const MAX_JSON_CHARACTERS = 32 * 1024 * 1024;

/** No integer that anybody reads has more digits; to make a number of millions of them takes seconds. */
const MAX_DIGITS = 40;

/** Stands for one that has more: beyond every range. */
const TOO_LARGE = 10n ** BigInt(MAX_DIGITS);

/** What can be wrong with a JSON text: its syntax, its length, the kind or range of a value, or a public key in it. */
export type JsonFaultCode = "json/syntax" | "json/too-long" | "json/kind" | "json/range" | "json/key";

/** A JSON value in which whole numbers are bigints, exact up to 39 digits and beyond every range above; numbers with a point or exponent stay numbers. */
export type Json = null | boolean | string | bigint | number | readonly Json[] | { readonly [name: string]: Json };

/**
 * Parses JSON without losing digits of integers.
 * @param text the whole document; white space around it is allowed
 * @returns the value, or a fault
 */
export function parseJson(text: string): Json | Fault<JsonFaultCode> {
  if (text.length > MAX_JSON_CHARACTERS) return new Fault("json/too-long", `JSON of ${text.length} characters`);
  try {
    return JSON.parse(text, (_name, value: Json, ...rest: unknown[]) => {
      if (typeof value !== "number") return value;
      const source = (rest[0] as { readonly source: string }).source;
      if (!/^-?\d+$/.test(source)) return value;
      if (source.length <= MAX_DIGITS) return BigInt(source);
      return value < 0 ? -TOO_LARGE : TOO_LARGE;
    });
  } catch (error) {
    // SyntaxError, or RangeError where nesting outgrows the stack.
    return new Fault("json/syntax", error instanceof Error ? error.message : String(error));
  }
}

/**
 * Reads the members of an object as Go does. After the first member of a wrong kind, {@link JsonObject.fault} tells and
 * all readers give zero values: read everything, then ask once. Names are given in lower case.
 */
export class JsonObject {
  readonly #members = new Map<string, Json>();
  readonly #root: { fault: Fault<JsonFaultCode> | undefined };

  private constructor(object: { readonly [name: string]: Json }, root: { fault: Fault<JsonFaultCode> | undefined }) {
    for (const [name, value] of Object.entries(object)) this.#members.set(name.toLowerCase(), value);
    this.#root = root;
  }

  /**
   * Parses a document that must be an object; `null` reads as the empty object, as in Go.
   * @param text the whole document
   */
  static parse(text: string): JsonObject | Fault<JsonFaultCode> {
    const value = parseJson(text);
    return value instanceof Fault ? value : JsonObject.of(value);
  }

  /** Wraps a parsed value, see {@link JsonObject.parse}. */
  static of(value: Json): JsonObject | Fault<JsonFaultCode> {
    if (value === null) return new JsonObject({}, { fault: undefined });
    return isJsonObject(value)
      ? new JsonObject(value, { fault: undefined })
      : new Fault("json/kind", "Not a JSON object");
  }

  /** The first thing that was wrong, here or in an object inside. */
  get fault(): Fault<JsonFaultCode> | undefined {
    return this.#root.fault;
  }

  /** Is the member there, and not null? */
  has(name: string): boolean {
    return (this.#members.get(name) ?? null) !== null;
  }

  /** A string; "" when absent. */
  string(name: string): string {
    const value = this.#members.get(name) ?? null;
    if (value === null) return "";
    return typeof value === "string" ? value.toWellFormed() : this.#fail("json/kind", `"${name}" is no string`, "");
  }

  /** A boolean; false when absent. */
  boolean(name: string): boolean {
    const value = this.#members.get(name) ?? null;
    if (value === null) return false;
    return typeof value === "boolean" ? value : this.#fail("json/kind", `"${name}" is no boolean`, false);
  }

  /** An integer in `min` … `max`; 0 when absent. */
  integer(name: string, range: { readonly min: bigint; readonly max: bigint }): bigint {
    return this.#integer(this.#members.get(name) ?? null, { name, ...range });
  }

  /** A public key; the null key when absent or written as zeros (transports.md §0.2). */
  publicKey(name: string): PublicKey {
    return this.#publicKey(this.string(name), name);
  }

  /** An object; undefined when absent. */
  object(name: string): JsonObject | undefined {
    const value = this.#members.get(name) ?? null;
    if (value === null) return undefined;
    if (isJsonObject(value)) return new JsonObject(value, this.#root);
    return this.#fail("json/kind", `"${name}" is no object`, undefined);
  }

  /** A list of strings; undefined when absent. */
  strings(name: string): readonly string[] | undefined {
    return this.#list(name)?.map((value) => {
      if (value === null) return "";
      return typeof value === "string"
        ? value.toWellFormed()
        : this.#fail("json/kind", `"${name}" holds no strings`, "");
    });
  }

  /** A list of public keys; undefined when absent. */
  publicKeys(name: string): readonly PublicKey[] | undefined {
    return this.strings(name)?.map((text) => this.#publicKey(text, name));
  }

  /** A Go array of bytes, that is a list of numbers: a shorter list is filled with zeros, a longer one cut. */
  byteArray(name: string, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#list(name)?.slice(0, length).forEach((value, i) => {
      bytes[i] = Number(this.#integer(value, { name, min: 0n, max: 0xffn }));
    });
    return bytes;
  }

  #list(name: string): readonly Json[] | undefined {
    const value = this.#members.get(name) ?? null;
    if (value === null) return undefined;
    return Array.isArray(value) ? value : this.#fail("json/kind", `"${name}" is no list`, undefined);
  }

  #integer(value: Json, range: { readonly name: string; readonly min: bigint; readonly max: bigint }): bigint {
    if (value === null) return 0n;
    if (typeof value !== "bigint") return this.#fail("json/kind", `"${range.name}" is no integer`, 0n);
    if (value >= range.min && value <= range.max) return value;
    return this.#fail("json/range", `"${range.name}" is out of range: ${value}`, 0n);
  }

  #publicKey(text: string, name: string): PublicKey {
    const key = parsePublicKeyText(text);
    if (key !== undefined) return key;
    return this.#fail("json/key", `"${name}" is no public key`, NULL_PUBLIC_KEY);
  }

  #fail<T>(code: JsonFaultCode, message: string, zero: T): T {
    this.#root.fault ??= new Fault(code, message);
    return zero;
  }
}

/** Writes a string as the encoder of messaging entries does: no HTML escapes. */
export function formatPlainString(text: string): string {
  return `"${escape(text, /["\\]|[^ -\uffff]/g)}"`;
}

/** Writes a string as Go's `encoding/json` does: HTML characters and line separators escaped. */
export function formatHtmlSafeString(text: string): string {
  return `"${escape(text, /["\\<>&\u2028\u2029]|[^ -\uffff]/g)}"`;
}

const LETTERS: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escape(text: string, special: RegExp): string {
  return text.toWellFormed().replace(
    special,
    (character) => LETTERS[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Is it a JSON object, and not a list, `null` or what {@link parseJson} says of bad text? */
export function isJsonObject(value: unknown): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Fault);
}
