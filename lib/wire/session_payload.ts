/**
 * What two visors say of a session in the payloads of a route group's Noise messages (sessions.md §1):
 *
 * ```
 * initiator                                        responder
 *   KK 1   features, session, leg, resume, window  ──►
 *          ◄──  KK 2   features, resume, window          it takes the leg
 *          ◄──  KK 2   refusal                           or not
 *          ◄──  KK 2   (empty)                           v1.3, and whoever knows of no sessions
 *
 * offset  0         4        5
 *         magic     version  members: kind u8, length u16be, value
 *         536b7953  01
 * ```
 *
 * What is no such payload means the same as the empty one, so reading gives no faults.
 */

import { concatBytes, type SessionId, sessionIdBytes, sessionIdOf } from "../types/mod.ts";

/** "SkyS". Payloads of later upstream are random keys, and begin so by chance once in 2^40 times (with the version). */
const MAGIC = Uint8Array.of(0x53, 0x6b, 0x79, 0x53);
const VERSION = 1;

/** Of magic and version, and of kind and length. */
const HEADER_BYTES = 5, MEMBER_HEADER_BYTES = 3;

/** The kinds of members, and how many bytes the value of each has. */
const FEATURES = 1, SESSION = 2, LEG = 3, RESUME = 4, WINDOW = 5, REFUSAL = 6;
const VALUE_BYTES: ReadonlyMap<number, number> = new Map([
  [FEATURES, 4],
  [SESSION, 16],
  [LEG, 4],
  [RESUME, 8],
  [WINDOW, 8],
  [REFUSAL, 1],
]);

/** A thing that an end of a session can do. `several-legs`: it takes data over more than one leg at a time. */
export type SessionFeature = "several-legs";

/** The bit of each feature. */
const FEATURE_BITS: readonly (readonly [feature: SessionFeature, bit: number])[] = [["several-legs", 1 << 0]];

/**
 * Why a responder does not take a leg. `unknown-session`: the two visors have no such session, or no longer;
 * `session-in-use`: leg 0 names a session that is there already; `leg-used`: the number had a leg; `not-willing`: it takes
 * no session, or no further leg.
 */
export type SessionRefusal = "unknown-session" | "session-in-use" | "leg-used" | "not-willing";

/** The refusals by number, from 1 on. */
const REFUSALS: readonly SessionRefusal[] = ["unknown-session", "session-in-use", "leg-used", "not-willing"];

/** What an end says in its Noise message. */
export interface SessionPayload {
  /** What this end can do; both ends use what both can. */
  readonly features: ReadonlySet<SessionFeature>;
  /** Which session the leg is for; the initiator always says so. */
  readonly session?: SessionId;
  /** Of the leg, 0 to 2^32 − 1: 0 opens the session, any other joins it. The initiator always says so. */
  readonly leg?: number;
  /** How many bytes of the other direction this end has received in order, 0 to 2^64 − 1. */
  readonly resume: bigint;
  /** How many bytes beyond `resume` this end takes before it says more, 0 to 2^64 − 1. */
  readonly window: bigint;
  /** The leg is not taken; of a responder only. */
  readonly refusal?: SessionRefusal;
}

/**
 * Writes a payload, at most 64 bytes: it never has the length of a later upstream's keys, 1,184 or 1,088 bytes.
 * @param offer what to say; what is absent reads as no features, 0 bytes received, and 0 bytes taken
 * @throws {RangeError} when `leg`, `resume` or `window` is out of its range
 */
export function encodeSessionPayload(offer: Partial<SessionPayload>): Uint8Array<ArrayBuffer> {
  const { features, session, leg, resume, window, refusal } = offer;
  const parts: Uint8Array[] = [MAGIC, Uint8Array.of(VERSION)];
  if (features !== undefined) parts.push(member(FEATURES, numberBytes(bitsOf(features), 4)));
  if (session !== undefined) parts.push(member(SESSION, sessionIdBytes(session)));
  if (leg !== undefined) parts.push(member(LEG, numberBytes(leg, 4)));
  if (resume !== undefined) parts.push(member(RESUME, numberBytes(resume, 8)));
  if (window !== undefined) parts.push(member(WINDOW, numberBytes(window, 8)));
  if (refusal !== undefined) parts.push(member(REFUSAL, Uint8Array.of(REFUSALS.indexOf(refusal) + 1)));
  return concatBytes(...parts);
}

/**
 * Reads a payload. Members and feature bits that are unknown are ignored; an unknown refusal reads as `not-willing`.
 * @param payload any bytes
 * @returns what it says; undefined when it is no such payload, or one of another version, or malformed
 */
export function parseSessionPayload(payload: Uint8Array): SessionPayload | undefined {
  const members = membersOf(payload);
  if (members === undefined) return undefined;
  const [session, leg, refusal] = [members.get(SESSION), members.get(LEG), members.get(REFUSAL)];
  return {
    features: featuresOf(Number(numberOf(members.get(FEATURES)))),
    ...(session !== undefined && { session: sessionIdOf(session) }),
    ...(leg !== undefined && { leg: Number(numberOf(leg)) }),
    resume: numberOf(members.get(RESUME)),
    window: numberOf(members.get(WINDOW)),
    ...(refusal !== undefined && { refusal: REFUSALS[Number(numberOf(refusal)) - 1] ?? "not-willing" }),
  };
}

/** The values by kind, each of the right length; undefined when the form is wrong. */
function membersOf(payload: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  if (payload[4] !== VERSION || !MAGIC.every((byte, i) => payload[i] === byte)) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const members = new Map<number, Uint8Array>();
  for (let from = HEADER_BYTES; from < payload.length;) {
    const begin = from + MEMBER_HEADER_BYTES;
    if (begin > payload.length) return undefined;
    const [kind, length] = [view.getUint8(from), view.getUint16(from + 1)];
    const end = begin + length;
    if (end > payload.length || members.has(kind) || length !== (VALUE_BYTES.get(kind) ?? length)) return undefined;
    members.set(kind, payload.subarray(begin, end));
    from = end;
  }
  return members;
}

function member(kind: number, value: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kind, 0, value.length), value);
}

/** A number, big-endian, in so many bytes. */
function numberBytes(value: number | bigint, bytes: number): Uint8Array {
  const number = BigInt(value);
  if (number < 0n || number >= 1n << BigInt(8 * bytes)) throw new RangeError(`${value} takes no ${bytes} bytes`);
  return Uint8Array.from({ length: bytes }, (_, i) => Number(number >> BigInt(8 * (bytes - 1 - i)) & 0xffn));
}

/** The number of a value; 0 when there is none. */
function numberOf(value: Uint8Array | undefined): bigint {
  return (value ?? new Uint8Array()).reduce((number, byte) => number << 8n | BigInt(byte), 0n);
}

function bitsOf(features: ReadonlySet<SessionFeature>): number {
  return FEATURE_BITS.reduce((bits, [feature, bit]) => features.has(feature) ? bits | bit : bits, 0);
}

function featuresOf(bits: number): ReadonlySet<SessionFeature> {
  return new Set(FEATURE_BITS.filter(([, bit]) => (bits & bit) !== 0).map(([feature]) => feature));
}
