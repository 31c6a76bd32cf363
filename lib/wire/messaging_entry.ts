/**
 * Entries of the messaging discovery: «this client is reached through these servers», «this server listens here»
 * (dmsg.md §6.1, 6.2). The signature covers the canonical text without the signature:
 *
 * ```
 * {"version","sequence","timestamp","static"[,"client":{"delegated_servers"}][,"client_type"]
 *  [,"server":{"address","availableSessions"[,"serverType"]}][,"signature"]}      this order, no white space
 * ```
 *
 * A verifier writes what it has read in this form again, so members that it does not know are neither kept nor covered.
 */

import { parseSignature, sign, verify } from "../core/mod.ts";
import { NULL_PUBLIC_KEY, type PublicKey, type SecretKey } from "../types/mod.ts";
import { parseAddress } from "../runtime/mod.ts";
import { Fault } from "./fault.ts";
import { formatPlainString, type Json, type JsonFaultCode, JsonObject, parseJson } from "./go_json.ts";

/** The version that clients write into an entry. */
export const ENTRY_VERSION = "0.0.1";

/** How old an entry without client part may be, ns. */
export const MAX_ENTRY_AGE_NS = 60_000_000_000n;

/** How far ahead of the discovery's clock it may be, ns. */
export const MAX_ENTRY_AHEAD_NS = 5_000_000_000n;

/** An entry of the messaging discovery (dmsg.md §6.1). */
export interface Entry {
  /** {@link ENTRY_VERSION}; any text that is not empty passes. */
  readonly version: string;
  /** 0 … 2^64−1; grows with every entry of the key. */
  readonly sequence: bigint;
  /** Unix time, ns, signed 64 bits. */
  readonly timestamp: bigint;
  /** Whose entry it is. May be the null key as received. */
  readonly static: PublicKey;
  /** Present when the key is a client. */
  readonly client?: ClientPart;
  /** Free text; the discovery lists keys with `visor` as visors. Absent when empty. */
  readonly clientType?: string;
  /** Present when the key is a server. */
  readonly server?: ServerPart;
  /** The text as received; it may have any form. Absent when empty. */
  readonly signature?: string;
}

/** Where a client is reached. */
export interface ClientPart {
  /** The servers that the client is connected to; null and the empty list are different texts on the wire. */
  readonly delegatedServers: readonly PublicKey[] | null;
}

/** Where a server listens. */
export interface ServerPart {
  /** `host:port` */
  readonly address: string;
  /** How many more sessions the server takes; a safe integer, may be negative. */
  readonly availableSessions: number;
  /** `official` or `community` when stored. Set after signing, so it proves nothing. Absent when empty. */
  readonly serverType?: string;
}

/** Why an entry is refused: the texts that follow {@link VALIDATION_PREFIX} on the wire (dmsg.md §6.3). */
export type EntryCause =
  | "entry has no version"
  | "entry has no signature"
  | "entry Keys is nil"
  | "entry has neither client or server field"
  | "server address cannot be empty"
  | "advertised entry has outdated timestamp"
  | "advertising localhost listening address is not allowed in production mode"
  | "sequence field of new entry is not sequence of old entry + 1"
  | "advertised entry timestamp is not greater than previous";

/** What stands before a cause in the answer of the discovery. */
export const VALIDATION_PREFIX = "entry validation error: ";

/**
 * Writes an entry in its canonical form: the discovery stores and serves this text, and the signature covers it without
 * the signature itself (dmsg.md §6.2).
 * @returns JSON without white space, members in the order of v1.3
 */
export function formatEntry(entry: Entry): string {
  const { client, server } = entry;
  const members = [
    `"version":${formatPlainString(entry.version)}`,
    `"sequence":${entry.sequence}`,
    `"timestamp":${entry.timestamp}`,
    `"static":"${entry.static}"`,
  ];
  if (client !== undefined) members.push(`"client":{"delegated_servers":${formatKeys(client.delegatedServers)}}`);
  if (isText(entry.clientType)) members.push(`"client_type":${formatPlainString(entry.clientType)}`);
  if (server !== undefined) {
    const type = isText(server.serverType) ? `,"serverType":${formatPlainString(server.serverType)}` : "";
    const address = formatPlainString(server.address);
    members.push(`"server":{"address":${address},"availableSessions":${server.availableSessions}${type}}`);
  }
  if (isText(entry.signature)) members.push(`"signature":${formatPlainString(entry.signature)}`);
  return `{${members.join(",")}}`;
}

/** What the signature covers. */
export function signedTextOfEntry(entry: Entry): string {
  return formatEntry({ ...entry, signature: "" });
}

/**
 * Signs an entry. A signature that it has is replaced (dmsg.md §6.2).
 *
 * ```ts
 * import { ENTRY_VERSION, signEntry, verifyEntry } from "./messaging_entry.ts";
 * import { publicKeyOf } from "../core/mod.ts";
 * import { SecretKey } from "../types/mod.ts";
 *
 * using secret = new SecretKey(new Uint8Array(32).fill(1));
 * const entry = signEntry({
 *   version: ENTRY_VERSION,
 *   sequence: 0n,
 *   timestamp: 1_700_000_000_000_000_000n,
 *   static: publicKeyOf(secret),
 *   client: { delegatedServers: [] },
 *   signature: "",
 * }, secret);
 * if (!verifyEntry(entry)) throw new Error("never");
 * ```
 *
 * @param entry without or with a signature
 * @param secret the secret key of `entry.static`
 * @returns a new entry
 * @throws {RangeError} when the secret is not a number from 1 to n − 1
 */
export function signEntry(entry: Entry, secret: SecretKey): Entry {
  return { ...entry, signature: sign(new TextEncoder().encode(signedTextOfEntry(entry)), secret) };
}

/** Does the entry have a signature by its own key, `static`? */
export function verifyEntry(entry: Entry): boolean {
  const signature = parseSignature(entry.signature ?? "");
  return signature !== undefined && verify(new TextEncoder().encode(signedTextOfEntry(entry)), signature, entry.static);
}

/**
 * Reads an entry as v1.3 does: any order and case of names; unknown members are ignored, absent ones are zero.
 * @param text JSON of any length
 * @returns the entry, or a fault that says what is wrong; the signature is not checked
 */
export function parseEntry(text: string): Entry | Fault<JsonFaultCode> {
  const json = parseJson(text);
  return json instanceof Fault ? json : decodeEntry(json);
}

/** Reads an entry from parsed JSON, see {@link parseEntry}. */
export function decodeEntry(json: Json): Entry | Fault<JsonFaultCode> {
  const object = JsonObject.of(json);
  if (object instanceof Fault) return object;
  const client = object.object("client");
  const server = object.object("server");
  const [clientType, signature] = [object.string("client_type"), object.string("signature")];
  const entry: Entry = {
    version: object.string("version"),
    sequence: object.integer("sequence", { min: 0n, max: (1n << 64n) - 1n }),
    timestamp: object.integer("timestamp", { min: -(1n << 63n), max: (1n << 63n) - 1n }),
    static: object.publicKey("static"),
    ...(client === undefined ? {} : { client: { delegatedServers: client.publicKeys("delegated_servers") ?? null } }),
    ...(clientType === "" ? {} : { clientType }),
    ...(server === undefined ? {} : { server: serverPartOf(server) }),
    ...(signature === "" ? {} : { signature }),
  };
  return object.fault ?? entry;
}

/**
 * The checks of one entry, in the order of the discovery (dmsg.md §6.4, steps 3 and 4).
 * @param entry as posted
 * @param nowNs Unix time, ns; leave it out to skip the check of the timestamp, as for entries with a client part
 * @returns why it is refused, or undefined
 */
export function validateEntry(entry: Entry, nowNs?: bigint): EntryCause | undefined {
  if (entry.version === "") return "entry has no version";
  if (!isText(entry.signature)) return "entry has no signature";
  if (entry.static === NULL_PUBLIC_KEY) return "entry Keys is nil";
  if (entry.client === undefined && entry.server === undefined) return "entry has neither client or server field";
  if (entry.server?.address === "") return "server address cannot be empty";
  if (nowNs === undefined) return undefined;
  const isCurrent = entry.timestamp >= nowNs - MAX_ENTRY_AGE_NS && entry.timestamp <= nowNs + MAX_ENTRY_AHEAD_NS;
  return isCurrent ? undefined : "advertised entry has outdated timestamp";
}

/**
 * May a server advertise this address outside tests (dmsg.md §6.4, step 2)? No empty host and no loopback address; what
 * is no `host:port` passes here.
 */
export function validateServerAddress(address: string): EntryCause | undefined {
  const host = parseAddress(address)?.host;
  const isLocal = host === "" || host !== undefined && isLoopback(host);
  return isLocal ? "advertising localhost listening address is not allowed in production mode" : undefined;
}

/** May `next` take the place of `stored` (dmsg.md §6.4, step 7)? Sequences grow, times do not go back. */
export function validateIteration(
  stored: Pick<Entry, "sequence" | "timestamp">,
  next: Pick<Entry, "sequence" | "timestamp">,
): EntryCause | undefined {
  if (next.sequence <= stored.sequence) return "sequence field of new entry is not sequence of old entry + 1";
  return next.timestamp < stored.timestamp ? "advertised entry timestamp is not greater than previous" : undefined;
}

function serverPartOf(server: JsonObject): ServerPart {
  const [min, max] = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];
  const serverType = server.string("servertype");
  return {
    address: server.string("address"),
    availableSessions: Number(server.integer("availablesessions", { min, max })),
    ...(serverType === "" ? {} : { serverType }),
  };
}

function formatKeys(keys: readonly PublicKey[] | null): string {
  return keys === null ? "null" : `[${keys.map((key) => `"${key}"`).join(",")}]`;
}

function isText(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

function isLoopback(host: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(host) || /^[0:]*:0*1$/.test(host) || /^::ffff:127(\.\d{1,3}){3}$/i.test(host);
}
