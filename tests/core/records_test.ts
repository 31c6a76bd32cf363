/**
 * The cipher as the core runs it, with simd128, against `node:crypto`: through records and session objects, which are all
 * that it seals besides handshakes (`noise_test.ts`). RFC 8439, Wycheproof and associated data of any length are in
 * `core-rs/crypto/tests/aead.rs`; what records do with what was cut, changed or repeated is in `records_prop_test.ts`.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { MAX_OBJECT_PLAINTEXT_BYTES, MAX_RECORD_PLAINTEXT_BYTES, Records, sha256 } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import { openByNode, sealByNode } from "./node_cipher.ts";

const PREFIX_BYTES = 2;
const LENGTHS = [...Array(601).keys(), 1023, 1024, 1025, 4069, 4070, 4071, 16_384, MAX_OBJECT_PLAINTEXT_BYTES];

/** Bytes that look random and are the same every time. */
function stream(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(length / 32) * 32);
  let block = sha256(new TextEncoder().encode(seed));
  for (let at = 0; at < length; at += 32, block = sha256(block)) bytes.set(block, at);
  return bytes.subarray(0, length);
}

function equal(a: Uint8Array, b: Uint8Array, message: string): void {
  assert.ok(Buffer.from(a).equals(b), message);
}

Deno.test("sealObject() and openObject() agree with node:crypto at every length up to 600 and some large ones", () => {
  const key = stream("key", 32);
  using records = Records.ofKeys({ send: key, receive: key });
  for (const [i, length] of LENGTHS.entries()) {
    const [counter, plaintext] = [BigInt(i + 1), stream(`text ${length}`, length)];
    const sealed = sealByNode(key, { counter, plaintext });
    equal(records.sealObject(plaintext).subarray(PREFIX_BYTES), sealed, `${length} bytes sealed`);
    equal(records.openObject(sealed), plaintext, `${length} bytes opened`);
  }
});

Deno.test("seal() and push() agree with node:crypto at every length of a record up to 600 and the longest", () => {
  const key = stream("key", 32);
  using records = Records.ofKeys({ send: key, receive: key });
  const into = new Uint8Array(MAX_RECORD_PLAINTEXT_BYTES);
  const lengths = LENGTHS.filter((length) => length > 0 && length <= MAX_RECORD_PLAINTEXT_BYTES);
  for (const [i, length] of lengths.entries()) {
    const [counter, plaintext] = [BigInt(i + 1), stream(`text ${length}`, length)];
    const body = sealByNode(key, { counter, plaintext });
    const frame = concatBytes(Uint8Array.of(body.length >> 8, body.length & 255), body);
    equal(records.seal(plaintext), frame, `${length} bytes sealed`);
    records.push(frame);
    equal(into.subarray(0, records.read(into)), plaintext, `${length} bytes opened`);
  }
});

Deno.test("objects agree with node:crypto for any key, counter and content", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
      fc.uint8Array({ maxLength: 700 }),
      (key, counter, plaintext) => {
        using records = Records.ofKeys({ send: key, receive: key });
        equal(records.openObject(sealByNode(key, { counter, plaintext })), plaintext, "opened by the core");
        assert.deepEqual(openByNode(key, records.sealObject(plaintext).subarray(PREFIX_BYTES)), {
          counter: 1n,
          plaintext,
        });
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("openObject() refuses every changed bit behind the counter, and every cut", () => {
  const key = stream("key", 32);
  using records = Records.ofKeys({ send: key, receive: key });
  const sealed = sealByNode(key, { counter: 7n, plaintext: stream("text", 300) });
  const refused = (error: unknown): boolean => hasCode(error, "record/authentication");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.map((byte, i) => i === bit >> 3 ? byte ^ 1 << (bit & 7) : byte);
    assert.throws(() => records.openObject(changed), refused, `bit ${bit}`);
  }
  for (let length = 0; length < sealed.length; length++) {
    const tooShort = length < 24;
    assert.throws(
      () => records.openObject(sealed.subarray(0, length)),
      (error) => hasCode(error, tooShort ? "record/frame-length" : "record/authentication"),
    );
  }
  assert.equal(records.openObject(sealed).length, 300, "none of that spoilt the honest one");
});

Deno.test("a relay that cuts a record out of a stream is found out, and the stream ends there", () => {
  const key = stream("key", 32);
  using sender = Records.ofKeys({ send: key, receive: key });
  using reader = Records.ofKeys({ send: key, receive: key });
  const [first, second, third] = ["pay 1 to Alice. ", "but only if she asks, and never: ", "pay 9 to Bob."].map((
    text,
  ) => sender.seal(new TextEncoder().encode(text)));
  assert.ok(first && second && third);
  reader.push(first);
  const isGap = (error: unknown): boolean => hasCode(error, "record/gap");
  assert.throws(() => reader.push(third), isGap);
  assert.throws(() => reader.push(second), isGap, "for good");
  const read = new Uint8Array(100);
  assert.equal(new TextDecoder().decode(read.subarray(0, reader.read(read))), "pay 1 to Alice. ");
});
