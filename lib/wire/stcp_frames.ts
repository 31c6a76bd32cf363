/**
 * The plaintext handshake before the link encryption of stcp, stcpr and sudph (transports.md §2.3). Strictly alternating;
 * every frame goes out in one write, with its newline:
 *
 * ```
 * F0  I→R  get_nonce                                                9 ASCII bytes, no newline
 * F1  R→I  {"Nonce":[16 numbers]}⏎
 * F2  I→R  {"SrcAddr":{"public_key","port"},"DstAddr":{…},"Nonce":[…],"Sig":"130 hex"}⏎
 * F3  R→I  {"OK":true,"ErrMsg":""}⏎
 * ```
 *
 * `Sig` covers the canonical text of F2 with 130 zeros in its place and with the newline, whatever the wire looked like.
 */

import { parseSignature, sign, verify } from "../core/mod.ts";
import { NULL_SIGNATURE, type OverlayAddress, type SecretKey, type Signature } from "../types/mod.ts";
import { Fault } from "./fault.ts";
import { formatHtmlSafeString, type JsonFaultCode, JsonObject } from "./go_json.ts";

/** F0: what the initiator opens with. v1.3 reads it with one 9-byte read, so it must leave in one segment. */
export const FRAME_0: Uint8Array<ArrayBuffer> = new TextEncoder().encode("get_nonce");

/** Bytes of the nonce. */
export const NONCE_BYTES = 16;

/** The longest frame that is read. F2 of v1.3 has at most 429 bytes; white space and unknown members may add some. */
export const MAX_FRAME_BYTES = 4096;

/** How long the whole exchange may take, ms. */
export const STCP_HANDSHAKE_TIMEOUT_MS = 10_000;

/** What F3 says when nobody listens on the port asked for. */
export const NOT_LISTENING_MESSAGE = "not listening on given port";

/** Names of what can be wrong with a frame. */
export type FrameFaultCode = JsonFaultCode | "stcp/frame-too-long" | "stcp/not-json" | "stcp/signature-form";

/** The signed part of F2: who calls whom, and the nonce of F1. Keys may be null (towards the address resolver). */
export interface Frame2Fields {
  /** The initiator: its key, which signs, and a port that means nothing. */
  readonly source: OverlayAddress;
  /** The responder, and the port of its listener. */
  readonly destination: OverlayAddress;
  /** 16 bytes */
  readonly nonce: Uint8Array;
}

/** F2 with its signature. */
export interface Frame2 extends Frame2Fields {
  /** By the source, over {@link signedTextOfFrame2}. */
  readonly signature: Signature;
}

/** F3: yes, or no and why. */
export interface Frame3 {
  /** Does the responder go on? */
  readonly ok: boolean;
  /** "" when ok */
  readonly errorMessage: string;
}

/** Where {@link takeJsonLine} cut. */
export interface JsonLine {
  /** The document without its newline. */
  readonly text: string;
  /** How many bytes of the input belong to it, newline included. */
  readonly used: number;
  /**
   * Did its newline come with it? If not, the peer may have left it out, or it is still on its way: when the next byte to
   * come is 0x0a, drop it. Nothing that follows these documents starts with 0x0a.
   */
  readonly newline: boolean;
}

/**
 * Finds one JSON object at the beginning of what was received so far, and takes nothing beyond its newline: the bytes
 * after it belong to the next stage.
 * @param received all bytes since the end of the last stage
 * @param maxBytes more than this without an end is a fault
 * @returns the document, a fault, or undefined when more bytes are needed
 */
export function takeJsonLine(
  received: Uint8Array,
  maxBytes: number = MAX_FRAME_BYTES,
): JsonLine | Fault<FrameFaultCode> | undefined {
  const start = received.findIndex((byte) => !isSpace(byte));
  if (start >= 0 && received[start] !== OPEN_BRACE) return new Fault("stcp/not-json", "The frame is no JSON object");
  const end = start < 0 ? undefined : endOfObject(received, start);
  if ((end ?? received.length) > maxBytes) return new Fault("stcp/frame-too-long", `A frame beyond ${maxBytes} bytes`);
  if (end === undefined) return undefined;
  const newline = received[end] === NEWLINE;
  return { text: new TextDecoder().decode(received.subarray(start, end)), used: newline ? end + 1 : end, newline };
}

/** Writes F1. @param nonce 16 random bytes */
export function encodeFrame1(nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`{"Nonce":${formatNonce(nonce)}}\n`);
}

/** Reads F1. @returns the 16 bytes of the nonce */
export function decodeFrame1(text: string): Uint8Array<ArrayBuffer> | Fault<FrameFaultCode> {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return object;
  const nonce = object.byteArray("nonce", NONCE_BYTES);
  return object.fault ?? nonce;
}

/** What the signature of F2 covers: its text with a zero signature, newline included. */
export function signedTextOfFrame2(fields: Frame2Fields): string {
  return formatFrame2({ ...fields, signature: NULL_SIGNATURE });
}

/** Signs F2. @param secret of `fields.source` */
export function signFrame2(fields: Frame2Fields, secret: SecretKey): Frame2 {
  return { ...fields, signature: sign(new TextEncoder().encode(signedTextOfFrame2(fields)), secret) };
}

/** Did the source of F2 sign it? */
export function verifyFrame2(frame: Frame2): boolean {
  return verify(new TextEncoder().encode(signedTextOfFrame2(frame)), frame.signature, frame.source.publicKey);
}

/** Writes F2. */
export function encodeFrame2(frame: Frame2): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(formatFrame2(frame));
}

/** Reads F2. Nothing is checked but form: see {@link verifyFrame2}, and compare the nonce. */
export function decodeFrame2(text: string): Frame2 | Fault<FrameFaultCode> {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return object;
  const source = addressOf(object.object("srcaddr"));
  const destination = addressOf(object.object("dstaddr"));
  const nonce = object.byteArray("nonce", NONCE_BYTES);
  const signature = object.has("sig") ? parseSignature(object.string("sig")) : NULL_SIGNATURE;
  if (object.fault !== undefined) return object.fault;
  if (source === undefined || destination === undefined) return new Fault("json/kind", "The frame lacks an address");
  if (signature === undefined) return new Fault("stcp/signature-form", "The signature is not 130 hex digits");
  return { source, destination, nonce, signature };
}

/** Writes F3. */
export function encodeFrame3(frame: Frame3): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`{"OK":${frame.ok},"ErrMsg":${formatHtmlSafeString(frame.errorMessage)}}\n`);
}

/** Reads F3. */
export function decodeFrame3(text: string): Frame3 | Fault<FrameFaultCode> {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return object;
  const frame = { ok: object.boolean("ok"), errorMessage: object.string("errmsg") };
  return object.fault ?? frame;
}

function formatFrame2(frame: Frame2): string {
  const [source, destination] = [formatAddress(frame.source), formatAddress(frame.destination)];
  return `{"SrcAddr":${source},"DstAddr":${destination},"Nonce":${
    formatNonce(frame.nonce)
  },"Sig":"${frame.signature}"}\n`;
}

function formatAddress(address: OverlayAddress): string {
  return `{"public_key":"${address.publicKey}","port":${address.port}}`;
}

function formatNonce(nonce: Uint8Array): string {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`A nonce has ${NONCE_BYTES} bytes, not ${nonce.length}`);
  return `[${nonce.join(",")}]`;
}

function addressOf(object: JsonObject | undefined): OverlayAddress | undefined {
  if (object === undefined) return undefined;
  return {
    publicKey: object.publicKey("public_key"),
    port: Number(object.integer("port", { min: 0n, max: 0xffffn })),
  };
}

const [OPEN_BRACE, CLOSE_BRACE, QUOTE, BACKSLASH, NEWLINE] = [0x7b, 0x7d, 0x22, 0x5c, 0x0a];

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** The index behind the brace that closes the object at `start`; braces in strings do not count. */
function endOfObject(bytes: Uint8Array, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i];
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN_BRACE) depth++;
    else if (byte === CLOSE_BRACE && --depth === 0) return i + 1;
  }
  return undefined;
}
