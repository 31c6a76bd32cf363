/** Ids and ports of the routing layer. */

import type { Branded } from "./brand.ts";
import type { PublicKey } from "./keys.ts";

/** Names a transport: a lower-case UUID computed from both edges and the kind (transports.md §1.3). */
export type TransportId = Branded<string, "TransportId">;

/** Names a rule in the table of the visor that receives a packet: 1 … 2^32−2 (routing.md §2.6). */
export type RouteId = Branded<number, "RouteId">;

/**
 * Names a connection that may change its route: 32 lower-case hex digits, chosen at random by its initiator
 * (sessions.md §1.3). It is sent sealed only, and is no word for logs: to know it is one of the conditions to join.
 */
export type SessionId = Branded<string, "SessionId">;

/** A port of a visor, 1–65535; messaging ports and routed ports are separate spaces. */
export type Port = number;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Reads a transport id.
 * @param text canonical UUID of either case
 * @returns the id, or undefined when the text is no UUID
 */
export function parseTransportId(text: string): TransportId | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower as TransportId : undefined;
}

/** Gives the 16 bytes of a transport id, in the order of its digits. */
export function transportIdBytes(id: TransportId): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(id.replaceAll("-", ""));
}

/**
 * Makes a transport id of its bytes.
 * @param bytes 16 bytes, in the order of the digits
 * @throws {RangeError} when there are not 16
 */
export function transportIdOf(bytes: Uint8Array): TransportId {
  if (bytes.length !== 16) throw new RangeError(`A transport id has 16 bytes, not ${bytes.length}`);
  const hex = bytes.toHex();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  ) as TransportId;
}

/** The 16 bytes of a session id. */
export function sessionIdBytes(id: SessionId): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(id);
}

/**
 * The session id of 16 bytes.
 * @throws {RangeError} when there are not 16
 */
export function sessionIdOf(bytes: Uint8Array): SessionId {
  if (bytes.length !== 16) throw new RangeError(`A session id has 16 bytes, not ${bytes.length}`);
  return bytes.toHex() as SessionId;
}

/**
 * Makes a route id of a plain number.
 * @param value an integer, 0 … 2^32−1
 * @throws {RangeError} for any other number
 */
export function routeId(value: number): RouteId {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new RangeError(`No route id: ${value}`);
  return value as RouteId;
}

/** A route of one direction: its hops from the source on. The path of a visor to itself may have none. */
export type Path = readonly Hop[];

/**
 * Lists the visors of a path in order.
 * @param path hops from the source on
 * @returns source, visors between, destination: one more than hops; nothing for an empty path
 */
export function visorsOf(path: Path): readonly PublicKey[] {
  const [first] = path;
  return first === undefined ? [] : [first.from, ...path.map((hop) => hop.to)];
}

/** A route: the paths of both directions. */
export interface RoutePair {
  /** From the initiator to the responder. */
  readonly forward: Path;
  /** The way back. */
  readonly reverse: Path;
}

/** A step of a path that the caller chose: the next visor, or the transport to it. */
export type PathStep = PublicKey | TransportId;

/** Is the step a transport? Otherwise it is a visor. */
export function isTransportStep(step: PathStep): step is TransportId {
  return UUID.test(step);
}

/** An address on the overlay: a visor and one of its ports. */
export interface OverlayAddress {
  /** Whose visor. */
  readonly publicKey: PublicKey;
  /** Which of its ports; 0 where none is meant. */
  readonly port: Port;
}

/** Says whose route it is: both ends and their ports (routing.md §2.1). Source sends, destination receives. */
export interface RouteDescriptor {
  /** Who sends, from which port. */
  readonly source: OverlayAddress;
  /** Who receives, on which port. */
  readonly destination: OverlayAddress;
}

/** Makes the descriptor of the opposite direction: source and destination change places (routing.md §2.1). */
export function invertDescriptor(descriptor: RouteDescriptor): RouteDescriptor {
  return { source: descriptor.destination, destination: descriptor.source };
}

/** One step of a path: over which transport, from whom to whom. */
export interface Hop {
  /** The transport that is taken. */
  readonly transportId: TransportId;
  /** The visor that the step leaves. */
  readonly from: PublicKey;
  /** The visor that it reaches. */
  readonly to: PublicKey;
}
