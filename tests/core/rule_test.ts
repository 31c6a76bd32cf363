import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeDescriptor,
  decodeRule,
  DESCRIPTOR_BYTES,
  encodeDescriptor,
  encodeRule,
  Switch,
} from "../../lib/core/mod.ts";
import { ProtocolError } from "../../lib/errors/mod.ts";
import { invertDescriptor, type MonotonicMs, type PublicKey } from "../../lib/types/mod.ts";
import { damages } from "../arbitraries/packet.ts";
import { descriptors, rules } from "../arbitraries/rule.ts";
import { testVectors, type VectorCase } from "../wire/vectors.ts";
import { hex } from "./vectors.ts";

const TYPES = ["consume", "forward", "intermediary"] as const;
const LENGTHS = { consume: 83, forward: 120, intermediary: 50 } as const;

testVectors("rule.json", {
  rule(data): void {
    checkFields(data);
    const rule = decodeRule(hex(data.bytes));
    const built = encodeRule(rule);
    assert.equal(built.length, LENGTHS[rule.type]);
    // v1.3 builds a rule anew from its summary, so those bytes are what a builder makes of odd ones, too.
    assert.equal(built.toHex(), data.summary_to_bytes);
    if (data.built_by_upstream) assert.equal(built.toHex(), data.bytes);
  },
  rule_fields: checkFields,
  malformed(data): void {
    const bytes = hex(data.bytes);
    const code = data.error.startsWith("invalid rule") ? "rule/type" : "rule/length";
    const isThatFault = (error: unknown): boolean => error instanceof ProtocolError && error.code === code;
    assert.ok(!data.accepted);
    assert.throws(() => decodeRule(bytes), isThatFault);
    const now = 0 as MonotonicMs;
    using core = new Switch({ localKey: "00" as PublicKey, firstRouteId: 1 }, now);
    assert.throws(() => core.saveRule(bytes, now), isThatFault);
    assert.deepEqual(core.rules(now), []);
  },
  descriptor(data): void {
    const descriptor = decodeDescriptor(hex(data.bytes));
    assert.deepEqual(descriptor, {
      source: { publicKey: data.src_pk, port: data.src_port },
      destination: { publicKey: data.dst_pk, port: data.dst_port },
    });
    assert.equal(encodeDescriptor(descriptor).toHex(), data.bytes);
    assert.equal(encodeDescriptor(invertDescriptor(descriptor)).toHex(), data.inverted);
  },
  summary: { elsewhere: "tests/wire/rule_summary_test.ts" },
  setup: { elsewhere: "tests/services/setup_node/rules_test.ts" },
  route_check: { elsewhere: "tests/services/setup_node/rules_test.ts" },
});

/** The fields of a rule as the vector has them; a field that its type lacks is absent there, too. */
function checkFields(data: VectorCase): void {
  const rule = decodeRule(hex(data.bytes));
  const { descriptor, nextRouteId, nextTransportId } = { ...rule } as Partial<
    Extract<typeof rule, { type: "forward" }>
  >;
  assert.deepEqual(
    {
      type: rule.type,
      routeId: rule.routeId,
      keepAliveNs: String(rule.keepAliveNs),
      descriptor: descriptor && encodeDescriptor(descriptor).toHex(),
      source: descriptor?.source,
      destination: descriptor?.destination,
      nextRouteId,
      nextTransportId,
    },
    {
      type: TYPES[data.type],
      routeId: data.key_route_id,
      keepAliveNs: data.keep_alive_ns,
      descriptor: data.descriptor,
      source: data.descriptor && { publicKey: data.src_pk, port: data.src_port },
      destination: data.descriptor && { publicKey: data.dst_pk, port: data.dst_port },
      nextRouteId: data.next_route_id,
      nextTransportId: data.next_transport_id,
    },
  );
}

Deno.test("decodeRule() gives back what encodeRule() was given, and ignores what follows", () => {
  fc.assert(fc.property(rules, fc.uint8Array({ maxLength: 40 }), (rule, behind) => {
    const bytes = encodeRule(rule);
    assert.equal(bytes.length, LENGTHS[rule.type]);
    assert.deepEqual(decodeRule(bytes), rule);
    assert.deepEqual(decodeRule(new Uint8Array([...bytes, ...behind])), rule);
  }));
});

Deno.test("decodeRule() survives any bytes, cut and flipped rules, and refuses with a fault of the protocol", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 150 }), rules.map(encodeRule)), damages, (bytes, damage) => {
      const damaged = damage(bytes);
      try {
        const rule = decodeRule(damaged);
        const built = encodeRule(rule);
        // All but the padding, which nobody reads.
        const read = rule.type === "consume" ? built.length : built.length - 17;
        assert.equal(built.subarray(0, read).toHex(), damaged.subarray(0, read).toHex());
      } catch (error) {
        assert.ok(error instanceof ProtocolError && /^rule\/(length|type)$/.test(error.code), String(error));
      }
    }),
  );
});

Deno.test("decodeDescriptor() gives back what encodeDescriptor() was given, and refuses fewer bytes", () => {
  fc.assert(fc.property(descriptors, (descriptor) => {
    const bytes = encodeDescriptor(descriptor);
    assert.equal(bytes.length, DESCRIPTOR_BYTES);
    assert.deepEqual(decodeDescriptor(bytes), descriptor);
    assert.deepEqual(invertDescriptor(invertDescriptor(descriptor)), descriptor);
    assert.throws(() => decodeDescriptor(bytes.subarray(1)), ProtocolError);
  }));
});
