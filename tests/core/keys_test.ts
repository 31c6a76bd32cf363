/** Keys through the WASM facade: every case of `cipher.json`, and what the vectors do not say. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  generateSecretKey,
  isValidPublicKey,
  isValidSecretKey,
  parsePublicKey,
  parsePublicKeyText,
  parseSecretKey,
  parseSignature,
  publicKeyOf,
  recover,
  sha256,
  sign,
  verify,
} from "../../lib/core/mod.ts";
import { NULL_PUBLIC_KEY, SecretKey } from "../../lib/types/mod.ts";
import type { PublicKey, Signature } from "../../lib/types/mod.ts";
import { formatOverlayAddress, parseOverlayAddress } from "./overlay_address.ts";
import { hex, type VectorCase, vectorCases } from "./vectors.ts";
import { at } from "../../lib/types/at.ts";

/** What the core does without showing it here: `core-rs/crypto/tests/cipher_vectors.rs` checks it. Seeds: nothing does. */
const NOT_SHOWN = ["ecdh", "seed", "seed_sequence", "sign_digest"];

const checks: Record<string, (item: VectorCase) => void> = {
  key(item): void {
    using secret = new SecretKey(hex(item.secret));
    assert.equal(publicKeyOf(secret), item.public);
    using parsed = parseSecretKey(item.secret_text as string);
    assert.deepEqual(parsed?.expose(), secret.expose());
    assert.equal(parsePublicKey(item.public_text as string), item.public);
  },
  sha256(item): void {
    assert.equal(sha256(hex(item.message)).toHex(), item.digest);
  },
  pubkey_text(item): void {
    assert.equal(parsePublicKeyText(item.text as string), item.accepted ? item.public : undefined);
  },
  seckey_text(item): void {
    using secret = parseSecretKey(item.text as string);
    assert.equal(secret?.expose().toHex(), item.accepted ? item.secret : undefined);
  },
  sig_text(item): void {
    assert.equal(parseSignature(item.text as string), item.accepted ? item.signature : undefined);
  },
  addr_text(item): void {
    const address = parseOverlayAddress(item.text as string, { isValidPublicKey });
    if (!item.accepted) return assert.equal(address, undefined);
    assert.deepEqual(address, { publicKey: item.public, port: item.port });
    assert.equal(formatOverlayAddress(address!), item.formatted);
  },
  pubkey_binary(item): void {
    assert.equal(isValidPublicKey(hex(item.bytes).toHex()), item.accepted);
  },
  seckey_binary(item): void {
    assert.equal(isValidSecretKey(hex(item.bytes)), item.accepted);
  },
  sign(item): void {
    const message = hex(item.message);
    using secret = new SecretKey(hex(item.secret));
    assert.equal(sha256(message).toHex(), item.digest);
    assert.ok(verify(message, item.signature as Signature, item.public as PublicKey));
    assert.equal(recover(message, item.signature as Signature), item.recovered);
    for (const ours of [sign(message, secret), sign(message, secret, new Uint8Array(32).fill(7))]) {
      assert.ok(verify(message, ours, item.public as PublicKey));
    }
    assert.equal(sign(message, secret), sign(message, secret));
    assert.notEqual(sign(message, secret), sign(message, secret, new Uint8Array(32).fill(7)));
  },
  verify(item): void {
    const message = hex(item.message);
    assert.equal(verify(message, item.signature as Signature, item.public as PublicKey), item.accepted);
    assert.equal(recover(message, item.signature as Signature) ?? null, item.recovered);
  },
};

Deno.test("keys: every cipher vector holds through the core", async (t) => {
  for (const item of vectorCases("cipher.json").filter(({ kind }) => !NOT_SHOWN.includes(kind))) {
    const check = checks[item.kind];
    assert.ok(check, `${item.name}: unknown kind ${item.kind}`);
    await t.step(item.name, () => check(item));
  }
});

Deno.test("sha256() agrees with node:crypto at lengths around the scratch area's", () => {
  for (const length of [0, 1, 55, 56, 64, 196_479, 196_480, 196_481, 1_000_000]) {
    const bytes = new Uint8Array(length).fill(length % 251);
    assert.equal(sha256(bytes).toHex(), createHash("sha256").update(bytes).digest("hex"));
  }
});

Deno.test("sign() refuses a secret key that is no scalar", () => {
  using zero = new SecretKey(new Uint8Array(32));
  assert.throws(() => sign(new Uint8Array(1), zero), RangeError);
  assert.throws(() => publicKeyOf(zero), RangeError);
});

Deno.test("generateSecretKey() tries again while the random bytes are no scalar, and leaves no copy", () => {
  const handed: Uint8Array[] = [];
  const answers = [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(32).fill(1)];
  using secret = generateSecretKey({
    bytes(): Uint8Array {
      const bytes = answers.shift()!;
      handed.push(bytes);
      return bytes;
    },
  });
  assert.deepEqual(secret.expose(), new Uint8Array(32).fill(1));
  assert.ok(handed.every((bytes) => bytes.every((byte) => byte === 0)));
});

Deno.test("verify() accepts its own signatures, and no signature with one bit changed", () => {
  using secret = new SecretKey(new Uint8Array(32).fill(9));
  const key = publicKeyOf(secret);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 65 * 8 - 1 }), (message, bit) => {
      const signature = sign(message, secret);
      assert.ok(verify(message, signature, key));
      assert.equal(recover(message, signature), key);
      const changed = Uint8Array.fromHex(signature);
      changed[bit >> 3] = at(changed, bit >> 3) ^ 1 << (bit & 7);
      assert.equal(verify(message, changed.toHex() as Signature, key), false);
    }),
    { numRuns: 50 },
  );
});

Deno.test("keys: no text or bytes make the parsers throw", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parsePublicKey(text);
    parsePublicKeyText(text);
    parseSecretKey(text)?.[Symbol.dispose]();
    parseSignature(text);
    parseOverlayAddress(text, { isValidPublicKey });
  }));
  fc.assert(fc.property(fc.uint8Array({ minLength: 33, maxLength: 33 }), (bytes) => {
    isValidPublicKey(bytes.toHex());
  }));
  assert.equal(isValidPublicKey(NULL_PUBLIC_KEY), false);
  assert.equal(parsePublicKey(NULL_PUBLIC_KEY), undefined);
});
