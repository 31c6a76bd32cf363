/**
 * IP addresses and blocks of them, as numbers that can be compared. Tested in tests/apps/socks/destinations_test.ts.
 */

/** An address. IPv4 in IPv6 form (`::ffff:a.b.c.d`) is IPv4. */
export interface IpAddress {
  readonly version: 4 | 6;
  /** 32 or 128 bits. */
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
 * Reads an address: dotted decimal, or IPv6 as RFC 4291 §2.2 writes it, without zone and brackets.
 * @returns undefined when it is none
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(":")) {
    const value = parseDotted(text);
    return value === undefined ? undefined : { version: 4, value };
  }
  const value = parseIpv6(text);
  return value === undefined ? undefined : ipAddressOf(value);
}

/** The address of 128 bits. */
export function ipAddressOf(value: bigint): IpAddress {
  return value >> 32n === MAPPED_PREFIX ? { version: 4, value: value & 0xffff_ffffn } : { version: 6, value };
}

/** Writes an address: dotted decimal, or eight groups of IPv6. */
export function formatIpAddress({ version, value }: IpAddress): string {
  const groups = version === 4 ? groupsOf(value, { count: 4, bits: 8n }) : groupsOf(value, { count: 8, bits: 16n });
  return version === 4 ? groups.join(".") : groups.map((group) => group.toString(16)).join(":");
}

/**
 * Reads a block, `address/prefix`; a single address is a block of one.
 * @returns undefined when it is none, or has bits beyond its prefix
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

/** Does the block hold the address? */
export function blockHolds(block: IpBlock, address: IpAddress): boolean {
  const rest = BigInt((block.version === 4 ? 32 : 128) - block.prefix);
  return block.version === address.version && block.value >> rest === address.value >> rest;
}

function parseDotted(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1);
  // A leading zero means octal to some: refused, so that nobody can mean another address than we do.
  if (bytes.some((byte) => Number(byte) > 255 || (byte.length > 1 && byte.startsWith("0")))) return undefined;
  return bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...(tail ?? [])];
  return groups.reduce((value, group) => value << 16n | group, 0n);
}

/** Groups of 16 bits; the last one may be a dotted IPv4 address, which is two. */
function parseGroups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const dotted = index === parts.length - 1 && part.includes(".") ? parseDotted(part) : undefined;
    if (dotted !== undefined) groups.push(dotted >> 16n, dotted & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function groupsOf(value: bigint, { count, bits }: { readonly count: number; readonly bits: bigint }): bigint[] {
  return Array.from({ length: count }, (_, i) => value >> (BigInt(count - 1 - i) * bits) & ((1n << bits) - 1n));
}
