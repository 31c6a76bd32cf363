/** The answer to «what is my address?», which a client asks a server (dmsg.md §4.7). */

import { parseAddress } from "../runtime/mod.ts";
import type { StreamResponse } from "../wire/stream_objects.ts";
import type { Session } from "./session.ts";
import { WIRE_CODE } from "./signed_object.ts";
import type { CheckedRequest } from "./signed_object.ts";

/**
 * Makes the answer: the address that the client's connection comes from, as we see it.
 * @param session with the client
 * @param request that asks
 */
export function answerIpLookup(session: Session, request: CheckedRequest): StreamResponse {
  const ip = parseIp(parseAddress(session.remoteAddress)?.host ?? "");
  return {
    requestHash: request.hash,
    accepted: ip !== undefined,
    ip: ip ?? new Uint8Array(),
    errorCode: ip === undefined ? WIRE_CODE.rejected : 0,
    noiseMessage: new Uint8Array(),
  };
}

/**
 * Reads an IP address.
 * @param text dotted IPv4, or IPv6 without brackets; a zone is ignored
 * @returns 4 bytes for IPv4, also when mapped into IPv6; 16 for IPv6; undefined for anything else
 */
export function parseIp(text: string): Uint8Array<ArrayBuffer> | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return v4;
  const v6 = parseIpv6(text.replace(/%.*$/, ""));
  const isMapped = v6?.subarray(0, 12).toHex() === "00000000000000000000ffff";
  return isMapped ? v6?.slice(12) : v6;
}

function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const numbers = text.split(".").map(Number);
  return numbers.every((number) => number <= 255) ? new Uint8Array(numbers) : undefined;
}

function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (!text.includes(":") || more.length > 0) return undefined;
  const before = parseGroups(head);
  const after = parseGroups(tail ?? "");
  if (before === undefined || after === undefined) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(before, 0);
  bytes.set(after, 16 - after.length);
  return bytes;
}

/** Groups of one half of an IPv6 address; the last may be dotted. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const dotted = index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted !== undefined) bytes.push(...dotted);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return bytes.length > 16 ? undefined : bytes;
}
