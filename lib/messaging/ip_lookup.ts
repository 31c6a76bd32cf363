/** The answer of a server to a client that asks for its own address (dmsg.md §4.7). */

import { parseAddress } from "../runtime/mod.ts";
import { ipAddressBytes, parseIpAddress } from "../wire/ip_address.ts";
import type { StreamResponse } from "../wire/stream_objects.ts";
import type { Session } from "./session.ts";
import { WIRE_CODE } from "./signed_object.ts";
import type { CheckedRequest } from "./signed_object.ts";

/**
 * Makes the answer: the IP address from which the client's connection comes.
 * @param session the session with the client
 * @param request the request that asks
 * @returns 4 bytes of IPv4, also when IPv6 carries it; 16 bytes of IPv6; error 352 when the address is not an IP address
 */
export function answerIpLookup(
  session: Pick<Session, "remoteAddress">,
  request: Pick<CheckedRequest, "hash">,
): StreamResponse {
  const ip = bytesOf(parseAddress(session.remoteAddress)?.host ?? "");
  return {
    requestHash: request.hash,
    accepted: ip !== undefined,
    ip: ip ?? new Uint8Array(),
    errorCode: ip === undefined ? WIRE_CODE.rejected : 0,
    noiseMessage: new Uint8Array(),
  };
}

/** The 4 or 16 bytes of an address as the platform writes it, perhaps with a zone; undefined for a name. */
function bytesOf(host: string): Uint8Array<ArrayBuffer> | undefined {
  const address = parseIpAddress(host.replace(/%.*$/, ""));
  return address === undefined ? undefined : ipAddressBytes(address);
}
