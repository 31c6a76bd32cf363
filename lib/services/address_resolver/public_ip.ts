/**
 * Which addresses count as public (transports.md §7.6), and which address a request came from (transports.md §6.1).
 * Tested in tests/services/address_resolver/resolver_test.ts.
 */

import { parsePublicKey } from "../../core/mod.ts";
import { parseAddress } from "../../runtime/mod.ts";

/** Networks of IPv4 that nobody reaches from outside: address and length of the prefix, bits. */
const PRIVATE_NETWORKS: readonly (readonly [address: number, bits: number])[] = [
  [0x0a000000, 8],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0a80000, 16],
];

/** Where a client that is known by its key only says it is. Not signed. */
const CLAIMED_IP_HEADER = "SW-PublicIP";

/** Is it an IPv4 address that v1.3 calls public? No IPv6 address is. */
export function isPublicIPv4(text: string): boolean {
  const address = parseIPv4(text);
  return address !== undefined &&
    PRIVATE_NETWORKS.every(([network, bits]) => (address ^ network) >>> (32 - bits) !== 0);
}

/** Is it an IPv4 address that is reached from its own network only, and not from its own machine only? */
export function isPrivateIPv4(text: string): boolean {
  return parseIPv4(text) !== undefined && !isPublicIPv4(text) && !text.startsWith("127.");
}

/**
 * The address that a request came from, as the services of v1.3 see it.
 * @param headers of the request
 * @param remote `host:port` of the client; `<key>:port` over messaging
 */
export function clientIp(headers: Headers, remote: string): string {
  const host = parseAddress(remote)?.host ?? "";
  if (parsePublicKey(host) !== undefined) return headers.get(CLAIMED_IP_HEADER) ?? "";
  return host.replace(/^::ffff:(?=[\d.]+$)/i, "");
}

function parseIPv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((address, part) => (address << 8 | Number(part)) >>> 0, 0);
}
