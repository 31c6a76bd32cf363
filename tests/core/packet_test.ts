import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodePacket,
  decodeRule,
  encodePacket,
  MAX_PACKET_PAYLOAD_BYTES,
  type Packet,
  PACKET_HEADER_BYTES,
  PACKET_TYPES,
  sha256,
  Switch,
  type SwitchCounters,
} from "../../lib/core/mod.ts";
import { ProtocolError } from "../../lib/errors/mod.ts";
import type { MonotonicMs, PublicKey, RouteId, TransportId } from "../../lib/types/mod.ts";
import { damages, packets } from "../arbitraries/packet.ts";
import { testVectors, type VectorCase } from "../wire/vectors.ts";
import { hex } from "./vectors.ts";

/** The names that the vectors give to our types. */
const TYPE_NAMES: Readonly<Record<string, (typeof PACKET_TYPES)[number]>> = {
  DataPacket: "data",
  ClosePacket: "close",
  KeepAlivePacket: "keep-alive",
  Handshake: "handshake",
  Ping: "ping",
  Pong: "pong",
  Error: "error",
};

/** The counter in which a drop shows, by a part of the reason that v1.3 gives. */
const DROP_COUNTERS: readonly (readonly [reason: string, counter: keyof SwitchCounters])[] = [
  ["index out of range", "shortPayload"],
  ["rule not found", "unknownRoute"],
  ["timeout exceeded", "expiredRoute"],
  ["unknown packet type", "unknownType"],
  ["unknown transport", "noTransport"],
  ["route descriptor does not exist", "noGroup"],
];

/** Where we are stricter or kinder than v1.3 on purpose. */
const DEVIATIONS: Readonly<Record<string, { readonly counter?: keyof SwitchCounters; readonly kept: boolean }>> = {
  // A short packet is dropped whatever its rule is, so the rule stays (routing.md §1.4). v1.3 crashes on all others.
  "handle: close without code via forward": { counter: "shortPayload", kept: true },
  // Packets wait for the group of a saved consume rule, so that a fast initiator loses nothing (routing.md §10, Q2).
  "handle: data to consume rule without route group": { kept: true },
  "handle: ping to consume rule without route group": { kept: true },
};

/** v1.3 stores these and crashes once a packet hits them; we refuse them at once (routing.md §2.5). */
const REFUSED_RULES: Readonly<Record<string, string>> = {
  "handle: stored rule of unknown type 3": "rule/type",
  "handle: stored intermediary rule cut to 20 bytes": "rule/length",
};

testVectors("packet.json", {
  packet(data): void {
    const packet: Packet = { type: data.type, routeId: data.route_id, payload: hex(data.payload) };
    assert.equal(encodePacket(packet).toHex(), data.bytes);
    assert.deepEqual(decodePacket(hex(data.bytes)), packet);
    assert.equal(packet.payload.length, data.size);
    assert.equal(TYPE_NAMES[data.type_name], PACKET_TYPES[data.type]);
    if (data.fields !== undefined) assert.deepEqual(fieldsOf(packet, data.fields), data.fields);
  },
  large_packet(data): void {
    const payload = new Uint8Array(data.size).fill(parseInt(data.payload_byte, 16));
    const packet: Packet = { type: data.type, routeId: data.route_id, payload };
    const bytes = encodePacket(packet);
    assert.equal(bytes.subarray(0, PACKET_HEADER_BYTES).toHex(), data.header);
    assert.equal(sha256(bytes).toHex(), data.sha256_of_packet);
    assert.deepEqual(decodePacket(bytes), packet);
  },
  make_error(data): void {
    assert.ok(!data.accepted);
    const payload = new Uint8Array(data.payload_length);
    assert.throws(() => encodePacket({ type: data.type, routeId: 1 as RouteId, payload }), RangeError);
  },
  stream(data): void {
    let rest: Uint8Array = hex(data.stream);
    const seen: { bytes: string; type: number; route_id: number; payload: string }[] = [];
    for (let packet = decodePacket(rest); packet !== undefined; packet = decodePacket(rest)) {
      const length = PACKET_HEADER_BYTES + packet.payload.length;
      const [bytes, payload] = [rest.subarray(0, length).toHex(), packet.payload.toHex()];
      seen.push({ bytes, type: packet.type, route_id: packet.routeId, payload });
      rest = rest.subarray(length);
    }
    assert.deepEqual(seen, data.packets);
    // A reader that finds nothing at all behind a header says EOF, too, so only this direction is certain.
    if (data.end_error !== "EOF") assert.ok(rest.length > 0);
    if (rest.length === 0) assert.equal(data.end_error, "EOF");
  },
  handle: handlePacket,
});

/** Gives the packet to a switch that has the rule of the case, a link to receive over and perhaps one to send over. */
function handlePacket(data: VectorCase): void {
  // A rule of no keep-alive has expired one instant after it was saved.
  const [start, now] = [0 as MonotonicMs, 1 as MonotonicMs];
  using core = new Switch({ localKey: "00" as PublicKey, firstRouteId: 1 }, start);
  const from = core.addLink({ transportId: transport(0xaa) }, start);
  const rule = data.rule === null ? undefined : hex(data.rule);
  const refused = REFUSED_RULES[data.name];
  if (refused !== undefined) {
    const isThatFault = (error: unknown): boolean => error instanceof ProtocolError && error.code === refused;
    assert.throws(() => core.saveRule(rule!, start), isThatFault);
  } else if (rule !== undefined) {
    core.saveRule(rule, start);
  }
  const stored = rule === undefined || refused !== undefined ? undefined : decodeRule(rule);
  const hasNext = data.next_transport_present && stored !== undefined && stored.type !== "consume";
  const to = hasNext ? core.addLink({ transportId: stored.nextTransportId }, start) : undefined;

  const packet = hex(data.packet);
  core.readView(from).set(packet);
  core.ingest(from, packet.length, now);

  assert.equal((to === undefined ? new Uint8Array() : core.outputView(to, now)).toHex(), data.sent.join(""));
  assert.equal(core.outputView(from, now).length, 0, "the sender is told nothing");
  const counters = core.counters();
  assert.equal(counters.forwarded, data.expected === "forward" ? 1 : 0);
  const deviation = DEVIATIONS[data.name];
  const kept = core.rules(now).some(({ rule: { routeId } }) => routeId === stored?.routeId);
  if (stored !== undefined) assert.equal(kept, deviation?.kept ?? data.rule_kept ?? true);
  switch (data.expected) {
    case "forward":
    case "handled":
      return assert.ok(DROP_COUNTERS.every(([, counter]) => counters[counter] === 0));
    case "drop": {
      if (refused !== undefined) return assert.equal(counters.unknownRoute, 1);
      const counter = deviation === undefined
        ? DROP_COUNTERS.find(([reason]) => data.error.includes(reason))?.[1]
        : deviation.counter;
      for (const [, each] of DROP_COUNTERS) assert.equal(counters[each], each === counter ? 1 : 0, each);
      return assert.ok(counter !== undefined || deviation !== undefined, `a reason we do not know: ${data.error}`);
    }
    default:
      throw new Error(`Nobody knows the expectation "${data.expected}"`);
  }
}

/** Reads the fields that the vector names out of a payload (routing.md §1.2). */
function fieldsOf({ payload }: Packet, names: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const readers: Readonly<Record<string, () => unknown>> = {
    code: () => view.getUint8(0),
    // The name of a code is nothing that anyone sends.
    code_text: () => names.code_text,
    encrypt: () => view.getUint8(0) !== 0,
    timestamp: () => String(view.getBigInt64(0)),
    throughput: () => String(view.getBigInt64(8)),
    text: () => new TextDecoder().decode(payload),
  };
  return Object.fromEntries(Object.keys(names).map((name) => [name, (readers[name] ?? assert.fail(name))()]));
}

function transport(fill: number): TransportId {
  const hex = fill.toString(16).repeat(16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") as TransportId;
}

Deno.test("decodePacket() gives back what encodePacket() was given, and ignores what follows", () => {
  fc.assert(fc.property(packets, fc.uint8Array({ maxLength: 20 }), (packet, behind) => {
    const bytes = encodePacket(packet);
    assert.equal(bytes.length, PACKET_HEADER_BYTES + packet.payload.length);
    assert.deepEqual(decodePacket(bytes), packet);
    const more = new Uint8Array([...bytes, ...behind]);
    assert.deepEqual(decodePacket(more), packet);
    for (const length of [0, PACKET_HEADER_BYTES - 1, bytes.length - 1]) {
      assert.equal(decodePacket(bytes.subarray(0, Math.min(length, bytes.length - 1))), undefined);
    }
  }));
});

Deno.test("decodePacket() survives bytes that were cut or flipped, and never makes any up", () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), packets.map(encodePacket)), damages, (bytes, damage) => {
    const damaged = damage(bytes);
    const packet = decodePacket(damaged);
    if (packet === undefined) return;
    assert.equal(
      encodePacket(packet).toHex(),
      damaged.subarray(0, PACKET_HEADER_BYTES + packet.payload.length).toHex(),
    );
  }));
});

Deno.test("encodePacket() refuses a type that is no byte and a payload beyond the size field", () => {
  const routeId = 1 as RouteId;
  for (const type of [-1, 256]) {
    assert.throws(() => encodePacket({ type, routeId, payload: new Uint8Array() }), RangeError);
  }
  const payload = new Uint8Array(MAX_PACKET_PAYLOAD_BYTES);
  assert.equal(encodePacket({ type: 0, routeId, payload }).length, PACKET_HEADER_BYTES + MAX_PACKET_PAYLOAD_BYTES);
});
