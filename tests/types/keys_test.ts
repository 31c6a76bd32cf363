import assert from "node:assert/strict";
import {
  NULL_PUBLIC_KEY,
  NULL_SIGNATURE,
  publicKeyBytes,
  SecretKey,
  shortKey,
  signatureBytes,
  signatureOf,
} from "../../lib/types/mod.ts";

Deno.test("public keys have 33 bytes, signatures 65", () => {
  assert.deepEqual(publicKeyBytes(NULL_PUBLIC_KEY), new Uint8Array(33));
  assert.equal(shortKey(NULL_PUBLIC_KEY), "00000000");
  assert.deepEqual(signatureBytes(NULL_SIGNATURE), new Uint8Array(65));
  assert.equal(signatureOf(new Uint8Array(65)), NULL_SIGNATURE);
  assert.throws(() => signatureOf(new Uint8Array(64)), RangeError);
});

Deno.test("SecretKey shows its bytes to nobody who prints it", () => {
  using key = new SecretKey(new Uint8Array(32).fill(0xab));
  for (const text of [`${key}`, JSON.stringify({ key }), Deno.inspect(key), Deno.inspect({ key })]) {
    assert.match(text, /SecretKey\(redacted\)/);
    assert.doesNotMatch(text, /ab.?ab|171/i);
  }
});

Deno.test("SecretKey keeps a copy, and wipes it in the end", () => {
  const mine = new Uint8Array(32).fill(7);
  const key = new SecretKey(mine);
  mine.fill(0);
  const exposed = key.expose();
  assert.ok(exposed.every((byte) => byte === 7));
  key[Symbol.dispose]();
  assert.ok(exposed.every((byte) => byte === 0));
  assert.throws(() => new SecretKey(new Uint8Array(31)), RangeError);
});
