import assert from "node:assert/strict";
import {
  invertDescriptor,
  isTransportStep,
  parseTransportId,
  type PublicKey,
  routeId,
  sessionIdBytes,
  sessionIdOf,
  transportIdBytes,
  transportIdOf,
} from "../../lib/types/mod.ts";

const ID = "eddd8617-499d-0238-b341-ea0908ef5201";
const [A, B] = [`02${"a".repeat(64)}`, `03${"b".repeat(64)}`] as [PublicKey, PublicKey];

Deno.test("parseTransportId() takes UUIDs of either case, and nothing else", () => {
  assert.equal(parseTransportId(ID.toUpperCase()), ID);
  for (const text of ["", ID.slice(1), `${ID}0`, ID.replaceAll("-", ""), ID.replace("e", "g")]) {
    assert.equal(parseTransportId(text), undefined, text);
  }
});

Deno.test("transportIdBytes() and transportIdOf() are each other's opposite", () => {
  const id = parseTransportId(ID);
  assert.ok(id !== undefined);
  assert.equal(transportIdBytes(id).toHex(), "eddd8617499d0238b341ea0908ef5201");
  assert.equal(transportIdOf(transportIdBytes(id)), id);
  assert.throws(() => transportIdOf(new Uint8Array(15)), RangeError);
});

Deno.test("sessionIdOf() and sessionIdBytes() are each other's opposite", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => 16 * i + 10);
  assert.equal(sessionIdOf(bytes), "0a1a2a3a4a5a6a7a8a9aaabacadaeafa");
  assert.deepEqual(sessionIdBytes(sessionIdOf(bytes)), bytes);
  for (const length of [0, 15, 17]) assert.throws(() => sessionIdOf(new Uint8Array(length)), RangeError);
});

Deno.test("routeId() takes whole numbers of 32 bits", () => {
  assert.equal(routeId(0xffff_ffff), 0xffff_ffff);
  for (const value of [-1, 0.5, 2 ** 32, NaN]) assert.throws(() => routeId(value), RangeError);
});

Deno.test("isTransportStep() tells transports from visors", () => {
  assert.ok(isTransportStep(ID as never));
  assert.ok(!isTransportStep(A));
});

Deno.test("invertDescriptor() swaps the ends", () => {
  const [source, destination] = [{ publicKey: A, port: 1 }, { publicKey: B, port: 2 }];
  assert.deepEqual(invertDescriptor({ source, destination }), { source: destination, destination: source });
});
