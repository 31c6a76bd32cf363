/**
 * Transport ids and the entries that say «these two visors have a transport of this kind» (transports.md §1).
 *
 * ```
 * id       SHA-256( 16 zero bytes ‖ smaller key 33 ‖ larger key 33 ‖ kind ) [0..16], UUID version 0, RFC 4122 variant
 * signed   id 16 ‖ edges 33 + 33 ‖ kind                                      the label is not covered
 * JSON     {"entry":{"t_id","edges":[2],"type","label"},"signatures":[2]}\n   signature i belongs to edge i
 * ```
 */

import { parseSignature, sha256, sign, verify } from "../core/mod.ts";
import {
  concatBytes,
  NULL_SIGNATURE,
  parseTransportId,
  type PublicKey,
  publicKeyBytes,
  type SecretKey,
  type Signature,
  type TransportId,
  transportIdBytes,
  transportIdOf,
} from "../types/mod.ts";
import { Fault } from "./fault.ts";
import { formatHtmlSafeString, type Json, type JsonFaultCode, JsonObject, parseJson } from "./go_json.ts";
import { addFeatureMembers, NO_FEATURES, type PeerFeatures } from "./peer_features.ts";

/** The longest JSON text of a signed entry that is read; a legitimate one has about 520 bytes and its label. */
export const MAX_SIGNED_ENTRY_BYTES = 4096;

/** What can be wrong with the text of an entry: its JSON, a missing part, or its id. */
export type TransportEntryFaultCode = JsonFaultCode | "transport-entry/incomplete" | "transport-entry/id";

/** Both ends of a transport, the smaller key first; equal for a transport to oneself. */
export type Edges = readonly [PublicKey, PublicKey];

/** A transport as its edges register it and the discovery lists it (transports.md §1). */
export interface TransportEntry {
  /** Follows from edges and kind, see {@link transportId}. */
  readonly id: TransportId;
  /** The smaller key first. */
  readonly edges: Edges;
  /** `stcp`, `stcpr`, `sudph`, `dmsg` or any other word; the member `type` on the wire. */
  readonly kind: string;
  /** Free text; the signatures do not cover it. */
  readonly label: string;
}

/** An entry with the signatures of its edges. */
export interface SignedEntry {
  /** What was signed. */
  readonly entry: TransportEntry;
  /** Signature i belongs to edge i; {@link NULL_SIGNATURE} stands for a missing one. */
  readonly signatures: readonly [Signature, Signature];
  /** A member of old entries, passed on when a peer sends it; absent for 0. */
  readonly registered?: bigint;
}

/** Puts two keys in edge order: as numbers, smaller first (transports.md §1.2). */
export function sortEdges(a: PublicKey, b: PublicKey): Edges {
  return a <= b ? [a, b] : [b, a];
}

/**
 * Computes the id of the transport of one kind between two visors. Their order does not matter (transports.md §1.3).
 *
 * ```ts
 * import { transportId } from "./transport_entry.ts";
 * import type { PublicKey } from "../types/mod.ts";
 *
 * const [a, b] = [`02${"a".repeat(64)}`, `03${"b".repeat(64)}`] as [PublicKey, PublicKey];
 * if (transportId(a, b, "stcp") !== transportId(b, a, "stcp")) throw new Error("never");
 * if (transportId(a, b, "stcp") === transportId(a, b, "dmsg")) throw new Error("never");
 * ```
 *
 * @param a one edge
 * @param b the other edge, perhaps the same
 * @param kind such as `stcp`; ASCII
 */
export function transportId(a: PublicKey, b: PublicKey, kind: string): TransportId {
  const [smaller, larger] = sortEdges(a, b);
  const digest = sha256(
    concatBytes(new Uint8Array(16), publicKeyBytes(smaller), publicKeyBytes(larger), new TextEncoder().encode(kind)),
  );
  const id = digest.slice(0, 16);
  id[6] = (id[6] as number) & 0x0f;
  id[8] = (id[8] as number) & 0x3f | 0x80;
  return transportIdOf(id);
}

/**
 * Makes the entry of a transport (transports.md §1).
 * @param a one edge
 * @param b the other edge
 * @param options its kind and its label
 */
export function makeTransportEntry(
  a: PublicKey,
  b: PublicKey,
  options: { readonly kind: string; readonly label: string },
): TransportEntry {
  return { id: transportId(a, b, options.kind), edges: sortEdges(a, b), kind: options.kind, label: options.label };
}

/** The bytes that the edges sign: 82 and the length of the kind (transports.md §1.4). */
export function entryBinary(entry: TransportEntry): Uint8Array<ArrayBuffer> {
  const [smaller, larger] = entry.edges;
  return concatBytes(
    transportIdBytes(entry.id),
    publicKeyBytes(smaller),
    publicKeyBytes(larger),
    new TextEncoder().encode(entry.kind),
  );
}

/** The signature slot of a visor: its first place among the edges, or undefined when it is no edge. */
export function edgeIndexOf(entry: TransportEntry, key: PublicKey): 0 | 1 | undefined {
  if (entry.edges[0] === key) return 0;
  return entry.edges[1] === key ? 1 : undefined;
}

/**
 * Adds a visor's signature in its slot.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { makeTransportEntry, signTransportEntry, verifyTransportEntry } from "./transport_entry.ts";
 * import { publicKeyOf } from "../core/mod.ts";
 * import { SecretKey } from "../types/mod.ts";
 *
 * using a = new SecretKey(new Uint8Array(32).fill(1));
 * using b = new SecretKey(new Uint8Array(32).fill(2));
 * const entry = makeTransportEntry(publicKeyOf(a), publicKeyOf(b), { kind: "stcp", label: "user" });
 * const half = signTransportEntry(entry, { publicKey: publicKeyOf(a), secret: a });
 * const whole = signTransportEntry(half, { publicKey: publicKeyOf(b), secret: b });
 * assert(verifyTransportEntry(whole, publicKeyOf(a)) && verifyTransportEntry(whole, publicKeyOf(b)));
 * assert(!verifyTransportEntry(half, publicKeyOf(b)));
 * ```
 *
 * @param signed an entry without signatures, or with those so far
 * @param signer a visor that is an edge of it
 * @returns a new entry; the other signature stays
 * @throws {RangeError} when the visor is not an edge
 */
export function signTransportEntry(
  signed: SignedEntry | TransportEntry,
  signer: { readonly publicKey: PublicKey; readonly secret: SecretKey },
): SignedEntry {
  const before: SignedEntry = "entry" in signed
    ? signed
    : { entry: signed, signatures: [NULL_SIGNATURE, NULL_SIGNATURE] };
  const index = edgeIndexOf(before.entry, signer.publicKey);
  if (index === undefined) throw new RangeError(`Sign a transport entry: ${signer.publicKey} is no edge of it`);
  const signature = sign(entryBinary(before.entry), signer.secret);
  const [first, second] = before.signatures;
  return { ...before, signatures: index === 0 ? [signature, second] : [first, signature] };
}

/**
 * Did this visor sign the entry, in its own slot (transports.md §1.4)?
 * @param signed entry and signatures
 * @param key the visor; false when it is not an edge
 */
export function verifyTransportEntry(signed: SignedEntry, key: PublicKey): boolean {
  const index = edgeIndexOf(signed.entry, key);
  return index !== undefined && verify(entryBinary(signed.entry), signed.signatures[index], key);
}

/** Are the id and the order of the edges those that follow from edges and kind? */
export function isConsistentEntry(entry: TransportEntry): boolean {
  const [a, b] = entry.edges;
  return a <= b && entry.id === transportId(a, b, entry.kind);
}

/** The JSON text of an entry, exactly as v1.3 writes it. */
export function formatTransportEntry(entry: TransportEntry): string {
  const [smaller, larger] = entry.edges;
  const [kind, label] = [formatHtmlSafeString(entry.kind), formatHtmlSafeString(entry.label)];
  return `{"t_id":"${entry.id}","edges":["${smaller}","${larger}"],"type":${kind},"label":${label}}`;
}

/** Writes the JSON text of a signed entry as v1.3 does, without the newline that a stream adds (transports.md §1.5). */
export function formatSignedEntry(signed: SignedEntry): string {
  const [first, second] = signed.signatures;
  const registered = (signed.registered ?? 0n) === 0n ? "" : `,"registered":${signed.registered}`;
  return `{"entry":${formatTransportEntry(signed.entry)},"signatures":["${first}","${second}"]${registered}}`;
}

/**
 * Settlement S1: the JSON text and its newline, to be written at once (transports.md §3).
 * @param features what we can do beyond v1.3, said in members at the end
 */
export function encodeSignedEntryLine(
  signed: SignedEntry,
  features: PeerFeatures = NO_FEATURES,
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${addFeatureMembers(formatSignedEntry(signed), features)}\n`);
}

/** Reads an entry from parsed JSON. Whether id, edges and kind agree, {@link isConsistentEntry} tells. */
export function decodeTransportEntry(json: Json): TransportEntry | Fault<TransportEntryFaultCode> {
  const object = JsonObject.of(json);
  return object instanceof Fault ? object : entryOf(object);
}

/**
 * Reads a signed entry as v1.3 does: missing signatures and edges are null ones, surplus ones are ignored.
 * @param text JSON of any length, with or without newline
 * @returns the entry, or a fault that says what is wrong; signatures are not checked
 */
export function parseSignedEntry(text: string): SignedEntry | Fault<TransportEntryFaultCode> {
  const json = parseJson(text);
  return json instanceof Fault ? json : decodeSignedEntry(json);
}

/** Reads a signed entry from parsed JSON, see {@link parseSignedEntry}. */
export function decodeSignedEntry(json: Json): SignedEntry | Fault<TransportEntryFaultCode> {
  const object = JsonObject.of(json);
  if (object instanceof Fault) return object;
  const inner = object.object("entry");
  const texts = object.strings("signatures") ?? [];
  const registered = object.integer("registered", { min: -(1n << 63n), max: (1n << 63n) - 1n });
  if (object.fault !== undefined) return object.fault;
  if (inner === undefined) return new Fault("transport-entry/incomplete", "The signed entry has no entry");
  const entry = entryOf(inner);
  if (entry instanceof Fault) return entry;
  const [first, second] = [0, 1].map((i) => texts[i] === undefined ? NULL_SIGNATURE : parseSignature(texts[i]));
  if (first === undefined || second === undefined) return new Fault("json/kind", "A signature is not 130 hex digits");
  return { entry, signatures: [first, second], ...(registered === 0n ? {} : { registered }) };
}

function entryOf(object: JsonObject): TransportEntry | Fault<TransportEntryFaultCode> {
  const idText = object.string("t_id");
  const [a, b] = object.publicKeys("edges") ?? [];
  const [kind, label] = [object.string("type"), object.string("label")];
  if (object.fault !== undefined) return object.fault;
  if (a === undefined || b === undefined) return new Fault("transport-entry/incomplete", "The entry has no two edges");
  const id = parseTransportId(idText);
  if (id === undefined) return new Fault("transport-entry/id", `"${idText}" is no transport id`);
  return { id, edges: [a, b], kind, label };
}
