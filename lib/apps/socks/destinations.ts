/**
 * Where a SOCKS server lets its clients connect to. The rule is asked about the address that is then dialled, after the
 * name was resolved: a name that points into the server's own network gains nothing, nor does one that changes meanwhile.
 */

import { blockHolds, type IpAddress, type IpBlock, parseIpAddress, parseIpBlock } from "../../wire/ip_address.ts";

/** The word that stands for all addresses of the public Internet. */
export const PUBLIC_DESTINATIONS = "public";

/** Says whether an address may be connected to. */
export interface DestinationRule {
  /**
   * Asks the rule.
   * @param address an IP address as text; anything else is refused
   */
  allows(address: string): boolean;
}

/**
 * Makes a rule.
 * @param destinations `public`, and blocks such as `127.0.0.0/8` or `fd00::/8`; one that holds the address allows it
 * @throws {RangeError} for anything else
 */
export function makeDestinationRule(destinations: readonly string[]): DestinationRule {
  const allowsPublic = destinations.includes(PUBLIC_DESTINATIONS);
  const allowed = destinations.filter((text) => text !== PUBLIC_DESTINATIONS).map(parseDestination);
  return {
    allows(text: string): boolean {
      const address = parseIpAddress(text);
      if (address === undefined) return false;
      return allowed.some((block) => blockHolds(block, address)) || (allowsPublic && isPublic(address));
    },
  };
}

function parseDestination(text: string): IpBlock {
  const block = parseIpBlock(text);
  if (block === undefined) {
    throw new RangeError(`Read a destination: "${text}" is neither "${PUBLIC_DESTINATIONS}" nor a block of addresses`);
  }
  return block;
}

/** Not on the public Internet: RFC 6890 and the registries that continue it. */
const SPECIAL_IPV4 = blocks(
  "0.0.0.0/8", // this network, unspecified
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared by carriers
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, metadata of clouds
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
);
/** All global unicast; loopback, link-local, unique-local (fc00::/7), multicast and unspecified lie outside. */
const GLOBAL_IPV6 = blocks("2000::/3");
const SPECIAL_IPV6 = blocks(
  "2001::/23", // protocol assignments, Teredo
  "2001:db8::/32", // documentation
  "3fff::/20", // documentation
);
/** IPv6 forms that lead to an IPv4 address, and how many bits follow it. */
const TUNNELS: readonly { readonly block: IpBlock; readonly after: bigint }[] = [
  { block: block("64:ff9b::/96"), after: 0n }, // NAT64
  { block: block("2002::/16"), after: 80n }, // 6to4
];

function isPublic(address: IpAddress): boolean {
  const within = (list: readonly IpBlock[]): boolean => list.some((block) => blockHolds(block, address));
  if (address.version === 4) return !within(SPECIAL_IPV4);
  const tunnel = TUNNELS.find(({ block }) => blockHolds(block, address));
  if (tunnel !== undefined) return isPublic({ version: 4, value: address.value >> tunnel.after & 0xffff_ffffn });
  return within(GLOBAL_IPV6) && !within(SPECIAL_IPV6);
}

function blocks(...texts: readonly string[]): readonly IpBlock[] {
  return texts.map(block);
}

function block(text: string): IpBlock {
  return parseDestination(text);
}
