import assert from "node:assert/strict";
import fc from "fast-check";
import { NoiseHandshake, publicKeyOf, Records } from "../../lib/core/mod.ts";
import { parseHex, type PublicKey, SecretKey } from "../../lib/types/mod.ts";
import {
  checkRequest,
  checkResponse,
  decodeRequest,
  decodeResponse,
  describeMessagingError,
  encodeSignedRequest,
  encodeSignedResponse,
  MAX_SIGNED_OBJECT_BYTES,
  MESSAGING_ERRORS,
  objectHash,
  StreamFault,
  type StreamRequest,
  type StreamResponse,
} from "../../lib/wire/stream_objects.ts";
import { testVectors, type VectorCase } from "./vectors.ts";

/** gob.md §4.3, accepted by v1.3. */
const REQUEST_PREFIX =
  "5bff810301010d53747265616d5265717565737401ff82000105010954696d657374616d7001040001075372634164647201ff" +
  "840001074473744164647201ff840001064950696e666f01020001084e6f6973654d7367010a00000023ff83030101044164647201ff8400" +
  "01020102504b01ff86000104506f7274010600000012ff85060101065075624b657901ff86000000";
const RESPONSE_PREFIX =
  "56ff870301010e53747265616d526573706f6e736501ff8800010501075265714861736801ff8a0001084163636570746564" +
  "01020001024950010a000107457272436f646501060001084e6f6973654d7367010a00000016ff890101010653484132353601ff8a000106" +
  "01400000";

testVectors("dmsg_stream.json", {
  exchange(data): void {
    const [a, b] = [sessionOf(data.session_a), sessionOf(data.session_b)];
    const ends: Readonly<Record<string, Readonly<Record<string, Records>>>> = {
      A: { server: a.client },
      B: { server: b.client },
      server: { A: a.server, B: b.server },
    };
    for (const leg of data.legs) {
      const object = parseHex(data[leg.object as "request" | "response"].signed_object);
      const sender = ends[leg.from]?.[leg.to] as Records;
      // A session may have carried other objects before: their counters are used up.
      for (let left = counterOf(leg.framed); left > 1; left--) sender.sealObject(new Uint8Array(1));
      assert.equal(sender.sealObject(object).toHex(), leg.framed);
      assert.deepEqual(ends[leg.to]?.[leg.from]?.openObject(parseHex(leg.framed).subarray(2)), object);
    }
    checkExchange(data, data.stream_noise.responder_static_public);
    const stream = handshake("KK", data.stream_noise);
    assert.equal(stream.messages[0], data.request.fields.noise_msg);
    assert.equal(stream.messages[1], data.response.fields.noise_msg);
    for (const frame of data.data) {
      const sender = frame.from === "A" ? stream.initiator : stream.responder;
      assert.equal(sender.seal(parseHex(frame.plaintext)).toHex(), frame.framed);
    }
    for (const records of [a.client, a.server, b.client, b.server, stream.initiator, stream.responder]) {
      records[Symbol.dispose]();
    }
  },
  ip_lookup(data): void {
    checkExchange(data, publicKeyOf(new SecretKey(parseHex(data.server_sk))));
    assert.ok(data.request.fields.ip_info);
  },
  request_check(data): void {
    const object = parseHex(data.signed_object);
    const request = checkRequest(object);
    assert.equal(!(request instanceof StreamFault), data.accepted, data.error);
    if (data.hash !== undefined) assert.equal(objectHash(object).toHex(), data.hash);
    if (!(request instanceof StreamFault)) assert.deepEqual(showRequest(request), data.fields);
    else if (data.error.startsWith("dmsg error")) assert.ok(data.error.startsWith(request.message), request.message);
    else assert.equal(request.errorCode, 370);
  },
  response_check(data): void {
    const request = decodeRequest(parseHex(data.request_signed_object));
    assert.ok(!(request instanceof StreamFault));
    const response = checkResponse(parseHex(data.signed_object), {
      requestHash: objectHash(parseHex(data.request_signed_object)),
      author: request.destination.publicKey,
    });
    assert.equal(!(response instanceof StreamFault), data.accepted, data.error);
    if (!(response instanceof StreamFault)) assert.deepEqual(showResponse(response), data.fields);
    else if (data.error.startsWith("dmsg error")) assert.ok(data.error.startsWith(response.message), response.message);
    else assert.equal(response.errorCode, 370);
  },
  error_codes(data): void {
    const ours = Object.entries(MESSAGING_ERRORS).map(([code, { temporary = false }]) => ({
      code: Number(code),
      text: describeMessagingError(Number(code)),
      temporary,
    }));
    assert.deepEqual(ours, data.errors);
  },
  object_frame(data): void {
    if (data.key === undefined) {
      assert.ok(data.plaintext_length > MAX_SIGNED_OBJECT_BYTES);
      return;
    }
    using records = Records.ofKeys({ send: parseHex(data.key), receive: parseHex(data.key) });
    for (let counter = 1; counter < data.counter; counter++) records.sealObject(new Uint8Array(1));
    if (data.framed !== undefined) {
      assert.equal(records.sealObject(parseHex(data.plaintext)).toHex(), data.framed);
      return;
    }
    const framed = records.sealObject(new Uint8Array(data.plaintext_length));
    assert.equal(framed.subarray(0, data.framed_head.length / 2).toHex(), data.framed_head);
    assert.equal(framed.length, data.framed_length);
  },
  entry: { elsewhere: "tests/wire/messaging_entry_test.ts" },
  entry_verify: { elsewhere: "tests/wire/messaging_entry_test.ts" },
  entry_validate: { elsewhere: "tests/wire/messaging_entry_test.ts" },
  entry_iteration: { elsewhere: "tests/wire/messaging_entry_test.ts" },
  entry_http: { elsewhere: "tests/services/messaging_discovery/vectors_test.ts" },
});

const alice = new SecretKey(new Uint8Array(32).fill(1));
const bob = new SecretKey(new Uint8Array(32).fill(2));
const port = fc.integer({ min: 1, max: 0xffff });
const requests = fc.record({
  timestamp: fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }),
  source: fc.record({ publicKey: fc.constant(publicKeyOf(alice)), port }, { noNullPrototype: true }),
  destination: fc.record({ publicKey: fc.constant(publicKeyOf(bob)), port }, { noNullPrototype: true }),
  ipInfo: fc.boolean(),
  noiseMessage: fc.uint8Array({ maxLength: 1300 }),
}, { noNullPrototype: true });

Deno.test("requests and responses are read back as they were written, with the constant definitions", () => {
  fc.assert(
    fc.property(requests, fc.uint8Array({ maxLength: 16 }), fc.nat(0xffff), (request, ip, errorCode) => {
      const object = encodeSignedRequest(request, alice);
      assert.ok(object.subarray(65).toHex().startsWith(REQUEST_PREFIX));
      assert.deepEqual(checkRequest(object), request);
      const requestHash = objectHash(object);
      const response = { requestHash, accepted: true, ip, errorCode, noiseMessage: request.noiseMessage };
      const answer = encodeSignedResponse(response, bob);
      assert.ok(answer.subarray(65).toHex().startsWith(RESPONSE_PREFIX));
      assert.deepEqual(checkResponse(answer, { requestHash, author: publicKeyOf(bob) }), response);
      assert.ok(checkResponse(answer, { requestHash, author: publicKeyOf(alice) }) instanceof StreamFault);
    }),
    { numRuns: 30 },
  );
});

Deno.test("a request must be later than the last one", () => {
  fc.assert(
    fc.property(requests, (request) => {
      const object = encodeSignedRequest(request, alice);
      assert.equal((checkRequest(object, request.timestamp) as StreamFault).errorCode, 301);
    }),
    { numRuns: 5 },
  );
});

Deno.test("checkRequest() accepts nothing that was changed on its way, and survives it", () => {
  fc.assert(
    fc.property(requests, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (request, at, mask, cut) => {
      const object = encodeSignedRequest(request, alice);
      const changed = object.map((byte, i) => i === at % object.length ? byte ^ mask : byte);
      assert.ok(checkRequest(changed) instanceof StreamFault);
      assert.ok(checkRequest(object.subarray(0, cut % object.length)) instanceof StreamFault);
    }),
    { numRuns: 50 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (any) => {
    assert.ok(checkRequest(any) instanceof StreamFault);
    assert.ok(decodeResponse(any) instanceof StreamFault || any.length > 65);
  }));
});

/** The counter of a framed object: behind the two bytes of its length. */
function counterOf(framed: string): number {
  return parseInt(framed.slice(4, 20), 16);
}

function checkExchange(data: VectorCase, author: PublicKey): void {
  const object = parseHex(data.request.signed_object);
  const request = checkRequest(object);
  assert.ok(!(request instanceof StreamFault));
  assert.deepEqual(showRequest(request), data.request.fields);
  assert.equal(objectHash(object).toHex(), data.request.hash);
  const response = checkResponse(parseHex(data.response.signed_object), { requestHash: objectHash(object), author });
  assert.ok(!(response instanceof StreamFault));
  assert.deepEqual(showResponse(response), data.response.fields);
}

function showRequest(request: StreamRequest): unknown {
  return {
    timestamp_ns: request.timestamp.toString(),
    src_pk: request.source.publicKey,
    src_port: request.source.port,
    dst_pk: request.destination.publicKey,
    dst_port: request.destination.port,
    ip_info: request.ipInfo,
    noise_msg: request.noiseMessage.toHex(),
  };
}

function showResponse(response: StreamResponse): unknown {
  return {
    req_hash: response.requestHash.toHex(),
    accepted: response.accepted,
    ip: response.ip.toHex(),
    error_code: response.errorCode,
    noise_msg: response.noiseMessage.toHex(),
  };
}

function sessionOf(keys: Readonly<Record<string, string>>): { client: Records; server: Records } {
  const { initiator, responder } = handshake("XK", keys);
  return { client: initiator, server: responder };
}

function handshake(
  pattern: "XK" | "KK",
  keys: Readonly<Record<string, string>>,
): { initiator: Records; responder: Records; messages: string[] } {
  const bytes = (name: string): Uint8Array => parseHex(keys[name] as string);
  const initiator = new NoiseHandshake({
    pattern,
    role: "initiator",
    localSecret: new SecretKey(bytes("initiator_static_secret")),
    remoteKey: keys.responder_static_public as PublicKey,
    ephemeral: bytes("initiator_ephemeral_secret"),
  });
  const responder = new NoiseHandshake({
    pattern,
    role: "responder",
    localSecret: new SecretKey(bytes("responder_static_secret")),
    ...(pattern === "KK" ? { remoteKey: keys.initiator_static_public as PublicKey } : {}),
    ephemeral: bytes("responder_ephemeral_secret"),
  });
  const messages: string[] = [];
  for (let turn = initiator, other = responder; !initiator.complete || !responder.complete;) {
    const message = turn.writeMessage();
    messages.push(message.toHex());
    other.readMessage(message);
    [turn, other] = [other, turn];
  }
  return { initiator: initiator.intoRecords(), responder: responder.intoRecords(), messages };
}
