/**
 * Routing rules and route descriptors (routing.md §2.1–2.3). The core checks a rule and brings it into the form that
 * v1.3 builds; its fields are taken from there.
 */

import { ProtocolError } from "../errors/mod.ts";
import {
  concatBytes,
  type OverlayAddress,
  type PublicKey,
  publicKeyBytes,
  type RouteDescriptor,
  type RouteId,
  type TransportId,
  transportIdBytes,
  transportIdOf,
} from "../types/mod.ts";
import { core } from "./instance.ts";
import { FAULT_RULE_LENGTH, FAULT_RULE_TYPE, SCRATCH_BYTES } from "./layout.ts";
import { checkStatus, copyAt, intoScratch, SCRATCH } from "./memory.ts";

/** Two keys and two ports, bytes. */
export const DESCRIPTOR_BYTES = 70;

/** A forward rule as v1.3 builds it: no other kind is longer. */
export const LONGEST_RULE_BYTES = 120;

/** What every rule has (routing.md §2). */
export interface RuleBase {
  /** The route id of the packets that the rule is for. */
  readonly routeId: RouteId;
  /** How long the rule may be idle, ns, 64 bits signed; a rule with a negative time has expired from the start. */
  readonly keepAliveNs: bigint;
}

/** Where a rule sends packets. */
export interface NextHop {
  /** The id by which the next visor knows the route. */
  readonly nextRouteId: RouteId;
  /** The transport to that visor. */
  readonly nextTransportId: TransportId;
}

/** The rule of the last hop: the packets are for this visor. */
export interface ConsumeRule extends RuleBase {
  /** Number 0 on the wire. */
  readonly type: "consume";
  /** The source is the visor that sends; the destination is this visor. */
  readonly descriptor: RouteDescriptor;
}

/** The rule of the first hop: this visor sends the packets. */
export interface ForwardRule extends RuleBase, NextHop {
  /** Number 1 on the wire. */
  readonly type: "forward";
  /** The source is this visor; the destination is the visor that receives. */
  readonly descriptor: RouteDescriptor;
}

/** The rule of a hop in the middle: its visor learns neither end. */
export interface IntermediaryRule extends RuleBase, NextHop {
  /** Number 2 on the wire. */
  readonly type: "intermediary";
}

/** One routing rule. */
export type Rule = ConsumeRule | ForwardRule | IntermediaryRule;

const HEADER_BYTES = 13;
const PADDING_BYTES = 17;
const TYPE_NUMBERS = { consume: 0, forward: 1, intermediary: 2 } as const;
const FAULTS: ReadonlyMap<number, readonly [code: string, message: string]> = new Map([
  [FAULT_RULE_LENGTH, ["rule/length", "it is shorter than its type needs"]],
  [FAULT_RULE_TYPE, ["rule/type", "its type is none of v1.3"]],
]);

/**
 * Reads a rule (routing.md §2).
 * @param bytes a rule; bytes after its fields are ignored
 * @throws {ProtocolError} `rule/length` when the bytes are fewer than its type needs; `rule/type` for a type that v1.3
 * does not know
 */
export function decodeRule(bytes: Uint8Array): Rule {
  const half = SCRATCH_BYTES / 2;
  const input = bytes.subarray(0, half);
  const [at] = intoScratch(input) as [number];
  const length = checkRule(core.rule_normalise(at, input.length, SCRATCH + half, half));
  return fieldsOf(copyAt(SCRATCH + half, length));
}

/**
 * Writes a rule as v1.3 builds it (routing.md §2).
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeRule, encodeRule } from "./mod.ts";
 * import { parseTransportId, routeId } from "../types/mod.ts";
 *
 * const bytes = encodeRule({
 *   type: "intermediary",
 *   routeId: routeId(7),
 *   keepAliveNs: 60_000_000_000n,
 *   nextRouteId: routeId(9),
 *   nextTransportId: parseTransportId("00000000-0000-0000-8000-000000000001")!,
 * });
 * assert(bytes.length === 50 && decodeRule(bytes).routeId === 7);
 * ```
 *
 * @returns a consume rule: 83 bytes; forward: 120; intermediary: 50
 */
export function encodeRule(rule: Rule): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setBigInt64(0, rule.keepAliveNs);
  view.setUint8(8, TYPE_NUMBERS[rule.type]);
  view.setUint32(9, rule.routeId);
  const descriptor = rule.type === "intermediary" ? [] : [encodeDescriptor(rule.descriptor)];
  return concatBytes(header, ...descriptor, ...(rule.type === "consume" ? [] : [encodeNext(rule)]));
}

/** Writes a descriptor: 70 bytes. */
export function encodeDescriptor({ source, destination }: RouteDescriptor): Uint8Array<ArrayBuffer> {
  const ports = new Uint8Array(4);
  const view = new DataView(ports.buffer);
  view.setUint16(0, source.port);
  view.setUint16(2, destination.port);
  return concatBytes(publicKeyBytes(source.publicKey), publicKeyBytes(destination.publicKey), ports);
}

/**
 * Reads a descriptor. Its keys are not checked to be on the curve.
 * @throws {ProtocolError} `rule/length` when there are fewer than 70 bytes
 */
export function decodeDescriptor(bytes: Uint8Array): RouteDescriptor {
  if (bytes.length < DESCRIPTOR_BYTES) {
    throw new ProtocolError(
      "rule/length",
      `Read a route descriptor: ${bytes.length} bytes, wanted ${DESCRIPTOR_BYTES}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const address = (at: number, port: number): OverlayAddress => ({
    publicKey: bytes.subarray(at, at + 33).toHex() as PublicKey,
    port: view.getUint16(port),
  });
  return { source: address(0, 66), destination: address(33, 68) };
}

/** Takes the fields of a rule from the form in which the core writes it. */
export function fieldsOf(bytes: Uint8Array): Rule {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const base = { keepAliveNs: view.getBigInt64(0), routeId: view.getUint32(9) as RouteId };
  const next = (at: number): NextHop => ({
    nextRouteId: view.getUint32(at) as RouteId,
    nextTransportId: transportIdOf(bytes.subarray(at + 4, at + 20)),
  });
  switch (view.getUint8(8)) {
    case TYPE_NUMBERS.consume:
      return { type: "consume", ...base, descriptor: decodeDescriptor(bytes.subarray(HEADER_BYTES)) };
    case TYPE_NUMBERS.forward: {
      const descriptor = decodeDescriptor(bytes.subarray(HEADER_BYTES));
      return { type: "forward", ...base, descriptor, ...next(HEADER_BYTES + DESCRIPTOR_BYTES) };
    }
    default:
      return { type: "intermediary", ...base, ...next(HEADER_BYTES) };
  }
}

/**
 * Passes a status on, and throws what a fault of a rule means.
 * @throws {ProtocolError} `rule/length`, `rule/type`
 */
export function checkRule(status: number): number {
  const fault = FAULTS.get(status);
  if (fault !== undefined) throw new ProtocolError(fault[0], `Read a routing rule: ${fault[1]}`);
  return checkStatus(status);
}

function encodeNext({ nextRouteId, nextTransportId }: NextHop): Uint8Array<ArrayBuffer> {
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, nextRouteId);
  return concatBytes(id, transportIdBytes(nextTransportId), new Uint8Array(PADDING_BYTES));
}
