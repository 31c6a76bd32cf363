/** The kernel as the core runs it, with simd128, against `node:crypto`; RFC 8439 and Wycheproof are in `core-rs/crypto`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { aeadOpen, aeadSeal } from "../../lib/core/aead.ts";
import { sha256 } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";

interface Input {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ad: Uint8Array;
  readonly plaintext: Uint8Array;
}

function sealByNode({ key, nonce, ad, plaintext }: Input): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(ad, { plaintextLength: plaintext.length });
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** Bytes that look random and are the same every time. */
function stream(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(length / 32) * 32);
  let block = sha256(new TextEncoder().encode(seed));
  for (let at = 0; at < length; at += 32, block = sha256(block)) bytes.set(block, at);
  return bytes.subarray(0, length);
}

function agrees(input: Input): void {
  const sealed = aeadSeal(input.plaintext, input);
  assert.ok(
    Buffer.from(sealed).equals(sealByNode(input)),
    `${input.plaintext.length} bytes, ${input.ad.length} associated`,
  );
  assert.ok(Buffer.from(aeadOpen(sealed, input)).equals(input.plaintext));
}

Deno.test("aeadSeal() and aeadOpen() agree with node:crypto at every length up to 600 and some large ones", () => {
  const [key, nonce] = [stream("key", 32), stream("nonce", 12)];
  const lengths = [...Array(601).keys(), 1023, 1024, 1025, 4069, 4070, 4071, 16_384, 65_511, 65_535];
  for (const length of lengths) {
    const plaintext = stream(`text ${length}`, length);
    agrees({ key, nonce, ad: new Uint8Array(), plaintext });
    agrees({ key, nonce, ad: stream(`ad ${length}`, length % 67), plaintext });
  }
});

Deno.test("aeadSeal() agrees with node:crypto for any key, nonce and associated data", () => {
  const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      fc.record({
        key: bytes(32),
        nonce: bytes(12),
        ad: fc.uint8Array(),
        plaintext: fc.uint8Array({ maxLength: 700 }),
      }),
      agrees,
    ),
    { numRuns: 300 },
  );
});

Deno.test("aeadOpen() refuses every changed bit and every cut", () => {
  const options = { key: stream("key", 32), nonce: stream("nonce", 12), ad: stream("ad", 5) };
  const sealed = aeadSeal(stream("text", 300), options);
  const refused = (error: unknown): boolean => hasCode(error, "aead/authentication");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => aeadOpen(changed, options), refused);
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.throws(() => aeadOpen(sealed.subarray(0, length), options), refused);
  }
  assert.throws(() => aeadOpen(sealed, { ...options, ad: new Uint8Array(5) }), refused);
});
