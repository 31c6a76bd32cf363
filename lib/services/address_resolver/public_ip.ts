/**
 * Which addresses count as public (transports.md §7.6), and which address a request came from (transports.md §6.1).
 * Tested in tests/services/address_resolver/resolver_test.ts.
 */

import { parsePublicKey } from "../../core/mod.ts";
import { parseAddress } from "../../runtime/mod.ts";
import { blockHolds, type IpAddress, type IpBlock, parseIpAddress, parseIpBlock } from "../../wire/ip_address.ts";

/** Networks of IPv4 that nobody reaches from outside. */
const PRIVATE_NETWORKS = ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
  .map((text) => parseIpBlock(text) as IpBlock);

/** Where a client that is known by its key only says it is. Not signed. */
const CLAIMED_IP_HEADER = "SW-PublicIP";

/** Is it an IPv4 address that v1.3 calls public? No IPv6 address is. */
export function isPublicIPv4(text: string): boolean {
  const address = parseIPv4(text);
  return address !== undefined && !PRIVATE_NETWORKS.some((network) => blockHolds(network, address));
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

/** An address in dotted decimal; one in the form of IPv6 is none. */
function parseIPv4(text: string): IpAddress | undefined {
  return text.includes(":") ? undefined : parseIpAddress(text);
}
