/**
 * The packet of the data plane (routing.md §1). The packet path does not come through here: the switch parses packets
 * itself. This face is for tests and tools.
 *
 *     type u8 ‖ route id u32be ‖ payload size u16be ‖ payload
 */

import type { RouteId } from "../types/mod.ts";
import { core } from "./instance.ts";
import { FAULT_PACKET_INCOMPLETE, SCRATCH_BYTES } from "./layout.ts";
import { copyAt, intoScratch, SCRATCH } from "./memory.ts";

/** Type, route id and size, bytes. */
export const PACKET_HEADER_BYTES = 7;

/** The size field is a u16. */
export const MAX_PACKET_PAYLOAD_BYTES = 65_535;

/**
 * The names of v1.3's packet types; the index is the number on the wire (routing.md §1). Routers drop other numbers.
 */
export const PACKET_TYPES = ["data", "close", "keep-alive", "handshake", "ping", "pong", "error"] as const;

/** One packet. */
export interface Packet {
  /** 0–255: an index into {@link PACKET_TYPES}, or a number that v1.3 does not know. */
  readonly type: number;
  /** Names the rule that the receiving visor applies. */
  readonly routeId: RouteId;
  /** At most 65535 bytes. */
  readonly payload: Uint8Array;
}

/**
 * Reads the packet at the beginning of some bytes (routing.md §1).
 * @param bytes any length; what follows the packet is ignored
 * @returns the packet, or undefined while the bytes end before it does
 */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  const head = bytes.subarray(0, SCRATCH_BYTES);
  const [at] = intoScratch(head) as [number];
  const length = core.packet_decode(at, head.length);
  if (length === FAULT_PACKET_INCOMPLETE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, PACKET_HEADER_BYTES);
  return {
    type: view.getUint8(0),
    routeId: view.getUint32(1) as RouteId,
    payload: bytes.slice(PACKET_HEADER_BYTES, length),
  };
}

/**
 * Writes a packet (routing.md §1).
 *
 * ```ts
 * import { decodePacket, encodePacket, PACKET_TYPES } from "./mod.ts";
 * import type { RouteId } from "../types/mod.ts";
 *
 * const bytes = encodePacket({ type: PACKET_TYPES.indexOf("ping"), routeId: 7 as RouteId, payload: new Uint8Array(16) });
 * if (decodePacket(bytes)?.routeId !== 7) throw new Error("never");
 * if (decodePacket(bytes.subarray(0, 10)) !== undefined) throw new Error("never: it is incomplete");
 * ```
 *
 * @returns 7 bytes of header, then the payload
 * @throws {RangeError} when the payload exceeds 65535 bytes or the type is not 0–255
 */
export function encodePacket({ type, routeId, payload }: Packet): Uint8Array<ArrayBuffer> {
  const length = core.packet_header(type, routeId, payload.length, SCRATCH, PACKET_HEADER_BYTES);
  if (length < 0) throw new RangeError(`No packet: type ${type}, ${payload.length} bytes of payload`);
  const bytes = new Uint8Array(PACKET_HEADER_BYTES + payload.length);
  bytes.set(copyAt(SCRATCH, length));
  bytes.set(payload, length);
  return bytes;
}
