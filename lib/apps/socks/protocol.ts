/**
 * SOCKS5 on the wire (RFC 1928, passwords RFC 1929), both sides:
 *
 *     greeting   05 ‖ n ‖ n methods                                  answer  05 ‖ method
 *     password   01 ‖ u8 length ‖ user ‖ u8 length ‖ password        answer  01 ‖ 0 or 1
 *     request    05 ‖ command ‖ 00 ‖ address ‖ u16be port            answer  05 ‖ reply ‖ 00 ‖ address ‖ u16be port
 *     address    01 ‖ 4 bytes │ 03 ‖ u8 length ‖ name │ 04 ‖ 16 bytes
 *
 * Readers throw {ProtocolError} when the bytes are no SOCKS5, and what {@linkcode readExactly} throws.
 */

import { ClosedError, ProtocolError } from "../../errors/mod.ts";
import { formatIpAddress, ipAddressOf } from "../../wire/ip_address.ts";
import type { LinkReader } from "../../links/link_reader.ts";

const SOCKS_VERSION = 5;
const PASSWORD_VERSION = 1;
const ADDRESS_IPV4 = 1;
const ADDRESS_NAME = 3;
const ADDRESS_IPV6 = 4;

/** How a client proves that it may use the server. */
export const METHOD = { none: 0, password: 2, unacceptable: 0xff } as const;

/** The only command that v1.3 serves. */
export const COMMAND_CONNECT = 1;

/** Answers to a request. */
export const REPLY = {
  succeeded: 0,
  generalFailure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

/** What a client sends to prove itself. */
export interface Credentials {
  readonly user: Uint8Array;
  readonly password: Uint8Array;
}

/** What a client wants. */
export interface SocksRequest {
  readonly command: number;
  /** A name or an IP address; undefined for a type of address that does not exist, whose bytes are left unread. */
  readonly host: string | undefined;
  /** 0–65535; 0 when there is no host. */
  readonly port: number;
}

/**
 * Reads a part of a message.
 * @throws {ClosedError} `socks/ended` when the stream ends before; what the link throws
 */
export function readExactly(reader: LinkReader, count: number): Promise<Uint8Array<ArrayBuffer>> {
  return reader.exactly(
    count,
    () => new ClosedError("socks/ended", "Read a SOCKS message: the stream ended inside it"),
  );
}

/** Reads the greeting. @returns the methods that the client offers */
export async function readGreeting(reader: LinkReader): Promise<Uint8Array> {
  const [version, count] = await readExactly(reader, 2);
  expectVersion(version, SOCKS_VERSION);
  return await readExactly(reader, count as number);
}

/** Reads user and password. */
export async function readCredentials(reader: LinkReader): Promise<Credentials> {
  const [version] = await readExactly(reader, 1);
  expectVersion(version, PASSWORD_VERSION);
  const user = await readExactly(reader, (await readExactly(reader, 1))[0] as number);
  const password = await readExactly(reader, (await readExactly(reader, 1))[0] as number);
  return { user, password };
}

/** Reads the request. */
export async function readRequest(reader: LinkReader): Promise<SocksRequest> {
  const [version, command, , type] = await readExactly(reader, 4) as unknown as [number, number, number, number];
  expectVersion(version, SOCKS_VERSION);
  const host = await readHost(reader, type);
  if (host === undefined) return { command, host, port: 0 };
  const [high, low] = await readExactly(reader, 2) as unknown as [number, number];
  return { command, host, port: high << 8 | low };
}

/** The greeting. */
export function encodeGreeting(methods: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(SOCKS_VERSION, methods.length, ...methods);
}

/** User and password, each 1–255 bytes. */
export function encodeCredentials({ user, password }: Credentials): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(PASSWORD_VERSION, user.length, ...user, password.length, ...password);
}

/** The answer to a greeting. */
export function encodeMethod(method: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(SOCKS_VERSION, method);
}

/** The answer to user and password. */
export function encodePasswordStatus(accepted: boolean): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(PASSWORD_VERSION, accepted ? 0 : 1);
}

/** The answer to a request. The address is always 0.0.0.0:0: nobody learns where the server stands in its network. */
export function encodeReply(reply: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(SOCKS_VERSION, reply, 0, ADDRESS_IPV4, 0, 0, 0, 0, 0, 0);
}

async function readHost(reader: LinkReader, type: number): Promise<string | undefined> {
  switch (type) {
    case ADDRESS_IPV4:
      return (await readExactly(reader, 4)).join(".");
    case ADDRESS_IPV6:
      return formatIpAddress(ipAddressOf(BigInt(`0x${(await readExactly(reader, 16)).toHex()}`)));
    case ADDRESS_NAME:
      return String.fromCharCode(...await readExactly(reader, (await readExactly(reader, 1))[0] as number));
    default:
      return undefined;
  }
}

function expectVersion(version: number | undefined, expected: number): void {
  if (version !== expected) {
    throw new ProtocolError("socks/version", `Read a SOCKS message: version ${version}, wanted ${expected}`);
  }
}
