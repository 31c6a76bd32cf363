import assert from "node:assert/strict";
import fc from "fast-check";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { ProtocolError } from "../../lib/errors/mod.ts";
import { badResponse, isRefusal, openRequest } from "../../lib/messaging/signed_object.ts";
import { Fault } from "../../lib/wire/fault.ts";
import { checkResponse, encodeSignedRequest, encodeSignedResponse } from "../../lib/wire/stream_objects.ts";
import type { StreamRequest } from "../../lib/wire/stream_objects.ts";
import { secretOf } from "./support.ts";

const secret = secretOf(1);
const request: StreamRequest = {
  timestamp: 1_700_000_000_123_456_789n,
  source: { publicKey: publicKeyOf(secret), port: 49_153 },
  destination: { publicKey: publicKeyOf(secretOf(2)), port: 80 },
  ipInfo: false,
  noiseMessage: new Uint8Array(49).fill(3),
};
const signedRequest = encodeSignedRequest(request, secret);
const requestHash = openRequest(signedRequest).hash;
const author = request.destination.publicKey;
const signedResponse = encodeSignedResponse({
  requestHash,
  accepted: true,
  ip: new Uint8Array(),
  errorCode: 0,
  noiseMessage: new Uint8Array(49),
}, secretOf(2));

/** Arbitrary bytes, and an object with a few bytes changed, cut or added. */
function bytesLike(object: Uint8Array): fc.Arbitrary<Uint8Array> {
  const changed = fc.record({
    at: fc.nat(object.length - 1),
    to: fc.nat(255),
    length: fc.nat(object.length),
    tail: fc.uint8Array({ maxLength: 20 }),
  }).map(({ at, to, length, tail }) => {
    const bytes = new Uint8Array([...object.subarray(0, Math.max(length, at + 1)), ...tail]);
    bytes[at] = to;
    return bytes;
  });
  return fc.oneof(fc.uint8Array({ maxLength: 600 }), changed);
}

Deno.test("openRequest() throws nothing but ProtocolError, whatever the bytes are", () => {
  fc.assert(
    fc.property(bytesLike(signedRequest), (bytes) => {
      try {
        assert.deepEqual(openRequest(bytes).value, request);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        assert.ok(error instanceof ProtocolError);
        assert.equal(typeof error.details.wireCode, "number");
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("a response of any bytes is the author's own, or a fault that is nobody's refusal", () => {
  fc.assert(
    fc.property(bytesLike(signedResponse), (bytes) => {
      const response = checkResponse(bytes, { requestHash, author });
      if (!(response instanceof Fault)) return;
      assert.ok(!isRefusal(response));
      assert.equal(badResponse(response).details.wireCode, response.errorCode);
    }),
    { numRuns: 500 },
  );
});
