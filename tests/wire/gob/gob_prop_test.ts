import assert from "node:assert/strict";
import fc from "fast-check";
import { publicKeyOf } from "../../../lib/core/mod.ts";
import { SecretKey, transportIdOf } from "../../../lib/types/mod.ts";
import { Fault } from "../../../lib/wire/fault.ts";
import {
  gobBool,
  gobBytes,
  GobDecoder,
  GobEncoder,
  gobInt64,
  gobSlice,
  gobString,
  gobStruct,
  type GobType,
  gobUint64,
} from "../../../lib/wire/gob/mod.ts";
import { gobPublicKey } from "../../../lib/wire/gob_types.ts";
import { gobRpcResponse } from "../../../lib/wire/rpc_messages.ts";
import {
  type BidirectionalRoute,
  gobBidirectionalRoute,
  gobEdgeRules,
  gobRouteIds,
  gobRules,
} from "../../../lib/wire/setup_messages.ts";
import { gobStreamRequest } from "../../../lib/wire/stream_objects.ts";
import { gobAny } from "./any.ts";
import { unwrap } from "./gob_json.ts";

const KEYS = Array.from({ length: 5 }, (_, i) => publicKeyOf(new SecretKey(new Uint8Array(32).fill(i + 1))));
const key = fc.constantFrom(...KEYS);
const address = fc.record({ publicKey: key, port: fc.nat(0xffff) }, { noNullPrototype: true });
const transport = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(transportIdOf);
const hop = fc.record({ transportId: transport, from: key, to: key }, { noNullPrototype: true });
const route: fc.Arbitrary<BidirectionalRoute> = fc.record({
  descriptor: fc.record({ source: address, destination: address }, { noNullPrototype: true }),
  keepAliveNs: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  forward: fc.array(hop, { maxLength: 4 }),
  reverse: fc.array(hop, { maxLength: 4 }),
}, { noNullPrototype: true });
const userId = fc.integer({ min: 64, max: 2 ** 31 - 100 });

Deno.test("GobDecoder reads what GobEncoder wrote, whatever the ids and the split", () => {
  fc.assert(
    fc.property(
      fc.array(route, { minLength: 1, maxLength: 3 }),
      userId,
      fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
      (
        routes,
        firstId,
        sizes,
      ) => {
        const encoder = new GobEncoder(firstId);
        const decoder = new GobDecoder();
        const stream = new Uint8Array(routes.flatMap((value) => [...encoder.encode(gobBidirectionalRoute, value)]));
        const read: BidirectionalRoute[] = [];
        for (let at = 0; at < stream.length;) {
          const size = sizes.next().value as number;
          decoder.push(stream.subarray(at, at += size));
          const value = decoder.read(gobBidirectionalRoute);
          if (value !== undefined) read.push(unwrap(value));
        }
        for (let value; (value = decoder.read(gobBidirectionalRoute)) !== undefined;) read.push(unwrap(value));
        assert.deepEqual(read, routes);
        assert.equal(decoder.buffered, 0);
      },
    ),
  );
});

Deno.test("a type is defined once in a stream", () => {
  fc.assert(fc.property(route, (value) => {
    const encoder = new GobEncoder();
    const first = encoder.encode(gobBidirectionalRoute, value);
    const second = encoder.encode(gobBidirectionalRoute, value);
    assert.equal(first.subarray(first.length - second.length).toHex(), second.toHex());
    assert.ok(second.length < first.length);
  }));
});

Deno.test("gobStruct() skips unknown fields of every kind, wherever they stand", () => {
  const inner = gobStruct("Inner", {
    Deep: gobBytes,
    List: gobSlice(gobString, { name: "", goName: "[]string", maxLength: 9 }),
  });
  const extras: Readonly<Record<string, readonly [GobType<unknown>, unknown]>> = {
    Yes: [gobBool as GobType<unknown>, true],
    Text: [gobString as GobType<unknown>, "text"],
    Number: [gobInt64 as GobType<unknown>, -5n],
    Struct: [inner as GobType<unknown>, { Deep: new Uint8Array(3), List: ["a", ""] }],
    Key: [gobPublicKey as GobType<unknown>, KEYS[0]],
    List: [
      gobSlice(inner, { name: "[]Inner", goName: "[]Inner", maxLength: 9 }) as GobType<unknown>,
      [{ Deep: new Uint8Array(200), List: [] }, { Deep: new Uint8Array(), List: ["x"] }],
    ],
  };
  const own: Readonly<Record<string, readonly [GobType<unknown>, unknown]>> = {
    ServiceMethod: [gobString as GobType<unknown>, "a.b"],
    Seq: [gobUint64 as GobType<unknown>, 1n << 63n],
    Error: [gobString as GobType<unknown>, "no"],
  };
  const names = [...Object.keys(extras), ...Object.keys(own)];
  fc.assert(fc.property(fc.shuffledSubarray(names, { minLength: names.length }), userId, (order, firstId) => {
    const all = { ...extras, ...own };
    const pick = <T>(part: 0 | 1): Record<string, T> =>
      Object.fromEntries(order.map((name) => [name, all[name]?.[part] as T]));
    const foreign = gobStruct<Record<string, unknown>>("Foreign", pick(0));
    const decoder = new GobDecoder();
    decoder.push(new GobEncoder(firstId).encode(foreign, pick(1)));
    assert.deepEqual(decoder.read(gobRpcResponse), { ServiceMethod: "a.b", Seq: 1n << 63n, Error: "no" });
  }));
});

Deno.test("GobDecoder survives arbitrary, flipped and cut input", () => {
  const types = [gobBidirectionalRoute, gobEdgeRules, gobRouteIds, gobRules, gobStreamRequest, gobAny] as const;
  const damaged = fc.tuple(route, fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 4 }), fc.nat()).map(
    ([value, flips, cut]) => {
      const bytes = new GobEncoder().encode(gobBidirectionalRoute, value);
      for (const [at, bit] of flips) bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ 1 << bit;
      return bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
    },
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), fc.constantFrom(...types), (bytes, type) => {
      const decoder = new GobDecoder();
      decoder.push(bytes);
      // At most one value or fault for every byte, then the decoder is out of input or says the same for ever.
      for (let i = 0; i <= bytes.length; i++) {
        const value: unknown = decoder.read<unknown>(type as GobType<unknown>);
        if (value === undefined || value instanceof Fault && decoder.broken !== undefined) return;
      }
      assert.fail("The decoder does not come to an end");
    }),
    { numRuns: 500 },
  );
});

Deno.test("GobDecoder is bounded for types that contain themselves and for counts beyond the message", () => {
  // type 65 = struct { Next 65 }, then a value nested as deep as a message of 8 kB allows.
  const definition = "19ff810301010154" + "01ff82000101" + "01044e65787401ff82000000";
  const bytes = Uint8Array.fromHex(definition);
  const depth = 8000;
  const value = new Uint8Array([0xfe, (depth + 2) >> 8, (depth + 2) & 0xff, 0xff, 0x82, ...new Array(depth).fill(1)]);
  for (const read of ["read", "skip"] as const) {
    const decoder = new GobDecoder();
    decoder.push(bytes);
    decoder.push(value);
    const result = read === "read" ? decoder.read(gobAny) : decoder.skip();
    assert.equal((result as Fault).code, "gob/too-deep");
  }
  const decoder = new GobDecoder();
  decoder.push(Uint8Array.fromHex("0cff85020102ff86000106000009ff8600fbffffffffff01"));
  assert.equal((decoder.read(gobRouteIds) as Fault).code, "gob/length");
});
