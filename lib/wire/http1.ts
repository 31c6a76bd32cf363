/**
 * HTTP/1.1 messages on a byte stream (RFC 9112), as far as HTTP over messaging needs them (dmsg.md §7.2): heads, and where
 * a body ends. Strict where leniency has made two readers disagree about one message (RFC 9112 §11.2).
 *
 * ```
 * GET /path?query HTTP/1.1 ␍␊  Name: value ␍␊ … ␍␊ body          HTTP/1.1 200 OK ␍␊  Name: value ␍␊ … ␍␊ body
 * chunked body:  <length in hex>[;extension] ␍␊ bytes ␍␊ … 0 ␍␊ [trailers ␍␊] ␍␊
 * ```
 */

import { concatBytes } from "../types/mod.ts";
import { Fault } from "./fault.ts";

/** The longest head, bytes; browsers and servers stop between 8 and 80 KiB. */
export const MAX_HEAD_BYTES = 32_768;

/** Header lines of one head; v1.3 sends about five. */
const MAX_HEADERS = 100;

/** The longest line with a chunk's length, and all trailers together, bytes. */
const MAX_CHUNK_LINE_BYTES = 4_096;

/** Why bytes are no message. */
export type HttpFaultCode =
  | "http1/head-too-long"
  | "http1/start-line"
  | "http1/header"
  | "http1/body-length"
  | "http1/chunk";

type HttpFault = Fault<HttpFaultCode>;

/** Names and values in the order in which they came. Names as sent. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** How a body ends. */
export type BodyFraming =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-end" };

/** The head of a request. */
export interface RequestHead {
  /** A token, such as `GET`. */
  readonly method: string;
  /** In origin form, `/path?query`, from any form that RFC 9112 §3.2 makes servers take. */
  readonly target: string;
  /** 1.0 knows no chunks. */
  readonly version: "1.0" | "1.1";
  readonly headers: HeaderList;
  readonly body: BodyFraming;
}

/** The head of a response. */
export interface ResponseHead {
  /** 100–599 */
  readonly status: number;
  /** May be empty. */
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: BodyFraming;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Visible characters, spaces, tabs, and what was once allowed beyond ASCII. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const NO_BODY: BodyFraming = { kind: "length", bytes: 0 };

/**
 * Where the head ends.
 * @param bytes what came so far, with the head at its beginning
 * @returns the length with the empty line, undefined while that has not come, or a fault when the head is too long
 */
export function headLength(bytes: Uint8Array): number | undefined | HttpFault {
  const limit = Math.min(bytes.length, MAX_HEAD_BYTES);
  for (let i = 3; i < limit; i++) {
    if (bytes[i] === 0x0a && bytes[i - 1] === 0x0d && bytes[i - 2] === 0x0a && bytes[i - 3] === 0x0d) return i + 1;
  }
  if (bytes.length < MAX_HEAD_BYTES) return undefined;
  return new Fault("http1/head-too-long", `A head of more than ${MAX_HEAD_BYTES} bytes`);
}

/** Reads the head of a request. @param bytes as {@link headLength} cuts them */
export function decodeRequestHead(bytes: Uint8Array): RequestHead | HttpFault {
  const [startLine = "", ...lines] = linesOf(bytes);
  const [, method, form, minor] = /^(\S+) (\S+) HTTP\/1\.([01])$/.exec(startLine) ?? [];
  if (method === undefined || form === undefined || !TOKEN.test(method)) return badStartLine(startLine);
  const target = form === "*" && method === "OPTIONS"
    ? "/"
    : form.replace(/^https?:\/\/[^/?#]+/i, "").replace(/^(?=\?|$)/, "/");
  if (!/^\/[\x21-\x7e]*$/.test(target)) return badStartLine(startLine);
  const headers = decodeHeaders(lines);
  if (headers instanceof Fault) return headers;
  const body = framingOf(headers);
  if (body instanceof Fault) return body;
  const version = minor === "0" ? "1.0" : "1.1";
  return { method, target, version, headers, body: body ?? NO_BODY };
}

/**
 * Reads the head of a response.
 * @param bytes as {@link headLength} cuts them
 * @param method of the request: the answer to HEAD has no body
 */
export function decodeResponseHead(bytes: Uint8Array, method: string): ResponseHead | HttpFault {
  const [startLine = "", ...lines] = linesOf(bytes);
  const [, digits, reason = ""] = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: (.*))?$/.exec(startLine) ?? [];
  if (digits === undefined) return badStartLine(startLine);
  const status = Number(digits);
  const headers = decodeHeaders(lines);
  if (headers instanceof Fault) return headers;
  const isBare = method === "HEAD" || status < 200 || status === 204 || status === 304;
  const body = isBare ? NO_BODY : framingOf(headers);
  if (body instanceof Fault) return body;
  return { status, reason, headers, body: body ?? { kind: "until-end" } };
}

/**
 * Writes a head.
 * @param startLine without line end
 * @param headers names and values
 * @throws {RangeError} for text that would end a line early
 */
export function encodeHead(startLine: string, headers: HeaderList): Uint8Array<ArrayBuffer> {
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  if (lines.some((line) => !FIELD_VALUE.test(line))) throw new RangeError("A header holds what no header can");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The end of a chunked body. */
export const LAST_CHUNK: Uint8Array = new TextEncoder().encode("0\r\n\r\n");

/** Writes a chunk. @param bytes at least one: the empty chunk is the last one */
export function encodeChunk(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) throw new RangeError("An empty chunk would end the body");
  const encoder = new TextEncoder();
  return concatBytes(encoder.encode(`${bytes.length.toString(16)}\r\n`), bytes, encoder.encode("\r\n"));
}

/** Takes a body out of a byte stream. Bytes after its end are left alone. */
export class BodyDecoder {
  readonly #framing: BodyFraming;
  /** What is still to come of the body, or of the present chunk. */
  #left: number;
  /** Of a chunked body: what comes next. */
  #next: "size" | "data" | "data-end" | "trailer" = "size";
  /** The beginning of a line. */
  #line = "";
  #trailerBytes = 0;
  #done: boolean;

  constructor(framing: BodyFraming) {
    this.#framing = framing;
    this.#left = framing.kind === "length" ? framing.bytes : 0;
    this.#done = framing.kind === "length" && framing.bytes === 0;
  }

  /** Has the body ended? One that goes on until the end of the stream never has. */
  get done(): boolean {
    return this.#done;
  }

  /** May the stream end here? */
  get mayEnd(): boolean {
    return this.#done || this.#framing.kind === "until-end";
  }

  /**
   * Takes bytes.
   * @returns the pieces of the body in them, views of `bytes`; or a fault, after which the stream is of no use
   */
  push(bytes: Uint8Array): Uint8Array[] | HttpFault {
    if (this.#done) return [];
    if (this.#framing.kind === "until-end") return bytes.length === 0 ? [] : [bytes];
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length && !this.#done;) {
      if (this.#framing.kind === "length" || this.#next === "data") {
        const piece = bytes.subarray(at, at + this.#left);
        pieces.push(piece);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#left > 0) break;
        if (this.#framing.kind === "length") this.#done = true;
        else this.#next = "data-end";
        continue;
      }
      const end = bytes.indexOf(0x0a, at);
      const part = bytes.subarray(at, end < 0 ? bytes.length : end);
      if (this.#line.length + part.length > MAX_CHUNK_LINE_BYTES) return badChunk();
      this.#line += textOf(part);
      if (end < 0) break;
      at = end + 1;
      const line = this.#line;
      this.#line = "";
      const fault = line.endsWith("\r") ? this.#endLine(line.slice(0, -1)) : badChunk();
      if (fault !== undefined) return fault;
    }
    return pieces;
  }

  #endLine(line: string): HttpFault | undefined {
    if (this.#next === "data-end") {
      if (line !== "") return badChunk();
      this.#next = "size";
      return undefined;
    }
    if (this.#next === "trailer") {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MAX_CHUNK_LINE_BYTES) return badChunk();
      this.#done = line === "";
      return undefined;
    }
    const digits = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
    if (digits === undefined) return badChunk();
    this.#left = parseInt(digits, 16);
    this.#next = this.#left === 0 ? "trailer" : "data";
    return undefined;
  }
}

/** The lines of a head, without the empty one at its end. */
function linesOf(head: Uint8Array): string[] {
  return textOf(head).slice(0, -4).split("\r\n");
}

/** Byte by byte, so that no header fails for its encoding; in pieces, since arguments go on the stack. */
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4_096) text += String.fromCharCode(...bytes.subarray(at, at + 4_096));
  return text;
}

function decodeHeaders(lines: readonly string[]): [string, string][] | HttpFault {
  if (lines.length > MAX_HEADERS) return new Fault("http1/header", `More than ${MAX_HEADERS} headers`);
  const headers: [string, string][] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)), value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!TOKEN.test(name) || !FIELD_VALUE.test(value)) return new Fault("http1/header", `No header: "${line}"`);
    headers.push([name, value]);
  }
  return headers;
}

/** Undefined when no header says that there is a body. */
function framingOf(headers: HeaderList): BodyFraming | undefined | HttpFault {
  const valuesOf = (wanted: string): string[] =>
    headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  const codings = valuesOf("transfer-encoding"), lengths = [...new Set(valuesOf("content-length"))];
  const bad: HttpFault = new Fault("http1/body-length", `No length of a body: "${[...codings, ...lengths].join()}"`);
  if (codings.length > 0) {
    return codings.join().toLowerCase() === "chunked" && lengths.length === 0 ? { kind: "chunked" } : bad;
  }
  const [length] = lengths;
  if (length === undefined) return undefined;
  if (lengths.length > 1 || !/^\d{1,15}$/.test(length)) return bad;
  return { kind: "length", bytes: Number(length) };
}

function badStartLine(line: string): HttpFault {
  return new Fault("http1/start-line", `No start line: "${line.slice(0, 80)}"`);
}

function badChunk(): HttpFault {
  return new Fault("http1/chunk", "No chunk of a body");
}
