/**
 * IP addresses and blocks of them: as text, as numbers that can be compared, and as bytes.
 *
 * A zone (`fe80::1%eth0`) is no part of an address here: it has a meaning on one machine only.
 */

/** An address. IPv4 in the form of IPv6 (`::ffff:a.b.c.d`) is IPv4. */
export interface IpAddress {
  readonly version: 4 | 6;
  /** 32 bits or 128 bits, the first byte of the address on top. */
  readonly value: bigint;
}

/** All addresses that begin with the same bits. */
export interface IpBlock {
  readonly version: 4 | 6;
  /** The first address. */
  readonly value: bigint;
  /** How many leading bits they share. */
  readonly prefix: number;
}

const MAPPED_PREFIX = 0xffffn;

/**
 * Reads an address.
 * @param text dotted decimal without leading zeros, or IPv6 as in RFC 4291 §2.2, without zone and brackets
 * @returns undefined when the text is not an address
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(":")) {
    const value = parseDotted(text);
    return value === undefined ? undefined : { version: 4, value };
  }
  const value = parseIpv6(text);
  return value === undefined ? undefined : ipAddressOf(value);
}

/** Makes an address of the 128 bits of IPv6. */
export function ipAddressOf(value: bigint): IpAddress {
  return value >> 32n === MAPPED_PREFIX ? { version: 4, value: value & 0xffff_ffffn } : { version: 6, value };
}

/** Gives the bytes of an address: 4 or 16. */
export function ipAddressBytes({ version, value }: IpAddress): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(value.toString(16).padStart(version === 4 ? 8 : 32, "0"));
}

/** Writes an address: dotted decimal, or eight groups of IPv6. */
export function formatIpAddress({ version, value }: IpAddress): string {
  const groups = version === 4 ? groupsOf(value, { count: 4, bits: 8n }) : groupsOf(value, { count: 8, bits: 16n });
  return version === 4 ? groups.join(".") : groups.map((group) => group.toString(16)).join(":");
}

/**
 * Reads a block.
 * @param text `address/prefix`; an address alone is a block of one
 * @returns undefined when the text is not a block, or the address has bits beyond the prefix
 */
export function parseIpBlock(text: string): IpBlock | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = match === null ? undefined : parseIpAddress(match[1] as string);
  if (match === null || address === undefined) return undefined;
  const { version, value } = address;
  const width = version === 4 ? 32 : 128;
  const prefix = match[2] === undefined ? width : Number(match[2]);
  if (prefix > width || value & ((1n << BigInt(width - prefix)) - 1n)) return undefined;
  return { version, value, prefix };
}

/** Does the block hold the address? Both must be of one version. */
export function blockHolds(block: IpBlock, address: IpAddress): boolean {
  const rest = BigInt((block.version === 4 ? 32 : 128) - block.prefix);
  return block.version === address.version && block.value >> rest === address.value >> rest;
}

function parseDotted(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1);
  // Some programs read a leading zero as octal. Such texts are refused, so that all programs mean the same address.
  if (bytes.some((byte) => Number(byte) > 255 || (byte.length > 1 && byte.startsWith("0")))) return undefined;
  return bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, i) => parseGroups(half, { isLast: i === halves.length - 1 }));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...(tail ?? [])];
  return groups.reduce((value, group) => value << 16n | group, 0n);
}

/** Groups of 16 bits; the last one of an address may be a dotted IPv4 address, which is two. */
function parseGroups(text: string, { isLast }: { readonly isLast: boolean }): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const mayBeDotted = isLast && index === parts.length - 1 && part.includes(".");
    const dotted = mayBeDotted ? parseDotted(part) : undefined;
    if (dotted !== undefined) groups.push(dotted >> 16n, dotted & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function groupsOf(value: bigint, { count, bits }: { readonly count: number; readonly bits: bigint }): bigint[] {
  return Array.from({ length: count }, (_, i) => value >> (BigInt(count - 1 - i) * bits) & ((1n << bits) - 1n));
}
