import assert from "node:assert/strict";
import { encodeDescriptor } from "../../../lib/core/mod.ts";
import { Fault } from "../../../lib/wire/fault.ts";
import {
  decodeGob,
  gobBool,
  gobBytes,
  GobDecoder,
  GobEncoder,
  gobInt64,
  gobOptional,
  gobSlice,
  gobString,
  gobStruct,
  type GobType,
  gobUint,
} from "../../../lib/wire/gob/mod.ts";
import { gobPublicKey, gobTransportId } from "../../../lib/wire/gob_types.ts";
import { gobRpcRequest, gobRpcResponse } from "../../../lib/wire/rpc_messages.ts";
import { gobBidirectionalRoute, gobEdgeRules, gobRouteIds, gobRules } from "../../../lib/wire/setup_messages.ts";
import { gobStreamRequest, gobStreamResponse } from "../../../lib/wire/stream_objects.ts";
import { parseHex } from "../../../lib/types/mod.ts";
import { testVectors } from "../vectors.ts";
import { gobAny } from "./any.ts";
import { showValue, unwrap } from "./gob_json.ts";

/** Decodes into a target, and shows the result in Go's names. */
type Target = (stream: Uint8Array) => unknown;

function target<T>(type: GobType<T>, show: (value: T) => unknown = (value) => value): Target {
  return (stream) => {
    const value = decodeGob(stream, type);
    return value instanceof Fault ? value : toJson(show(value));
  };
}

const gobWinSize = gobStruct("WinSize", { X: gobUint(16), Y: gobUint(16), Rows: gobUint(16), Cols: gobUint(16) });
const gobTransportResponse = gobStruct("TransportResponse", {
  ID: gobTransportId,
  Local: gobPublicKey,
  Remote: gobPublicKey,
  Type: gobString,
});

const hop = (value: { transportId: string; from: string; to: string }): unknown => ({
  TpID: value.transportId,
  From: value.from,
  To: value.to,
});

const TARGETS: Readonly<Record<string, Target>> = {
  StreamRequest: target(gobStreamRequest, (value) => ({
    Timestamp: value.timestamp,
    SrcAddr: { PK: value.source.publicKey, Port: value.source.port },
    DstAddr: { PK: value.destination.publicKey, Port: value.destination.port },
    IPinfo: value.ipInfo,
    NoiseMsg: value.noiseMessage,
  })),
  StreamResponse: target(gobStreamResponse, (value) => ({
    ReqHash: value.requestHash,
    Accepted: value.accepted,
    IP: value.ip,
    ErrCode: value.errorCode,
    NoiseMsg: value.noiseMessage,
  })),
  EdgeRules: target(gobEdgeRules, (value) => ({
    Desc: encodeDescriptor(value.descriptor),
    Forward: value.forward,
    Reverse: value.consume,
  })),
  BidirectionalRoute: target(gobBidirectionalRoute, (value) => ({
    Desc: encodeDescriptor(value.descriptor),
    KeepAlive: value.keepAliveNs,
    Forward: value.forward.map(hop),
    Reverse: value.reverse.map(hop),
  })),
  Rules: target(gobRules),
  RouteIDs: target(gobRouteIds),
  TransportRequest: target(gobStruct("TransportRequest", { RemotePK: gobPublicKey, Type: gobString })),
  TransportResponses: target(gobSlice(gobTransportResponse, { name: "", goName: "[]TransportResponse", maxLength: 9 })),
  UUIDRequest: target(gobStruct("UUIDRequest", { ID: gobTransportId })),
  BoolResponse: target(gobStruct("BoolResponse", { Result: gobBool })),
  Request: target(gobRpcRequest),
  Response: target(gobRpcResponse),
  CommandReq: target(gobStruct("CommandReq", {
    Name: gobString,
    Arg: gobSlice(gobString, { name: "[]string", goName: "[]string", maxLength: 9 }),
    Size: gobOptional(gobWinSize),
  })),
  PubKeys: target(gobSlice(gobPublicKey, { name: "", goName: "[]cipher.PubKey", maxLength: 9 })),
  uint8: target(gobUint(8)),
  bool: target(gobBool),
  int: target(gobInt64),
  bytes: target(gobBytes),
  string: target(gobString),
};

testVectors("gob.json", {
  value(data): void {
    assert.deepEqual(showValue(unwrap(decodeGob(parseHex(data.stream), gobAny))), data.value);
    const decoder = new GobDecoder();
    decoder.push(parseHex(data.stream));
    assert.equal(decoder.skip(), true);
    assert.equal(decoder.buffered, 0);
  },
  values(data): void {
    const decoder = new GobDecoder();
    decoder.push(parseHex(data.stream));
    assert.deepEqual(data.values.map(() => showValue(unwrap(decoder.read(gobAny)))), data.values);
    assert.equal(decoder.read(gobAny), undefined);
  },
  decode(data): void {
    const decode = TARGETS[data.target];
    assert.ok(decode !== undefined, `Unknown target ${data.target}`);
    const value = decode(parseHex(data.stream));
    assert.equal(!(value instanceof Fault), data.accepted, value instanceof Fault ? value.message : data.error);
    if (data.accepted) assert.deepEqual(value, data.value);
  },
  rpc: { elsewhere: "tests/wire/rpc/rpc_test.ts" },
});

Deno.test("GobDecoder refuses a type definition inside an interface value", () => {
  // gob-rpc.md §2.9, second example, behind struct T { V interface }: no message of the network has one.
  const stream = "15ff87030101015401ff880001010101560110000000" +
    "2dff88010a6d61696e2e496e6e6572ff8303010105496e6e657201ff840001020101580104000101590104000000";
  assert.equal((decodeGob(parseHex(stream), gobAny) as Fault).code, "gob/interface");
  const decoder = new GobDecoder();
  decoder.push(parseHex(stream));
  assert.equal((decoder.skip() as Fault).code, "gob/interface");
});

Deno.test("GobDecoder says the same for ever once the framing is broken", () => {
  const decoder = new GobDecoder({ maxMessageBytes: 16 });
  decoder.push(parseHex("11060001"));
  assert.equal((decoder.read(gobBool) as Fault).code, "gob/message-too-long");
  decoder.push(encodeGob(gobBool, true));
  assert.equal((decoder.read(gobBool) as Fault).code, "gob/message-too-long");
  assert.equal(decoder.broken?.code, "gob/message-too-long");
});

Deno.test("GobDecoder bounds the definitions of a stream", () => {
  const decoder = new GobDecoder({ maxDefinitionBytes: 64 });
  const wide = gobStruct("AVeryLongNameForAType", { AVeryLongNameForAField: gobString, AnotherLongName: gobString });
  decoder.push(encodeGob(wide, { AVeryLongNameForAField: "", AnotherLongName: "" }));
  assert.equal((decoder.read(wide) as Fault).code, "gob/too-many-types");
});

Deno.test("GobDecoder looks at the fields of a type once, however many values of it come", () => {
  let looks = 0;
  const counted: GobType<string> = {
    ...gobString,
    accepts: (...remote) => {
      looks++;
      return gobString.accepts(...remote);
    },
  };
  const rows = gobSlice(gobStruct("Row", { Text: counted }), { name: "", goName: "[]Row", maxLength: 1_000 });
  const bytes = encodeGob(rows, Array.from({ length: 1_000 }, () => ({ Text: "x" })));
  const value = decodeGob(bytes, rows);
  assert.ok(!(value instanceof Fault) && value.length === 1_000);
  assert.equal(looks, 1);
});

Deno.test("GobDecoder refuses a list that is longer than its type allows before it reads an element", () => {
  const numbers = gobSlice(gobUint(32), { name: "", goName: "[]uint32", maxLength: 3 });
  const more = gobSlice(gobUint(32), { name: "", goName: "[]uint32", maxLength: 4 });
  assert.deepEqual(decodeGob(encodeGob(more, [1, 2, 3]), numbers), [1, 2, 3]);
  assert.equal((decodeGob(encodeGob(more, [1, 2, 3, 4]), numbers) as Fault).code, "gob/length");
});

/** A self-contained stream of one value. */
function encodeGob<T>(type: GobType<T>, value: T): Uint8Array {
  return new GobEncoder().encode(type, value);
}

/** Bytes as hex, large integers as text, undefined as null. */
function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.toHex();
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]));
  }
  return value ?? null;
}
