/**
 * The core's ChaCha20-Poly1305 beside `node:crypto`, and records as links use them.
 *
 *     deno bench -A tests/bench/aead_bench.ts
 */

import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { aeadOpen, aeadSeal } from "../../lib/core/aead.ts";
import { Records } from "../../lib/core/mod.ts";

const key = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(12).fill(2);

for (const length of [64, 256, 1024, 4070]) {
  const plaintext = new Uint8Array(length).fill(3);
  const sealed = aeadSeal(plaintext, { key, nonce });

  Deno.bench(`core: seal ${length} bytes`, { group: `seal ${length}`, baseline: true }, () => {
    aeadSeal(plaintext, { key, nonce });
  });
  Deno.bench(`node:crypto: seal ${length} bytes`, { group: `seal ${length}` }, () => {
    const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
    Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  });
  Deno.bench(`core: open ${length} bytes`, { group: `open ${length}`, baseline: true }, () => {
    aeadOpen(sealed, { key, nonce });
  });
  Deno.bench(`node:crypto: open ${length} bytes`, { group: `open ${length}` }, () => {
    const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
    cipher.setAuthTag(sealed.subarray(length));
    Buffer.concat([cipher.update(sealed.subarray(0, length)), cipher.final()]);
  });
}

const records = Records.ofKeys({ send: key, receive: key });
const into = new Uint8Array(61_050);
for (const length of [1024, 4070, 61_050]) {
  const plaintext = new Uint8Array(length).fill(3);
  Deno.bench(`Records: seal, push and read ${length} bytes`, { group: `records ${length}` }, () => {
    records.push(records.seal(plaintext));
    records.read(into);
  });
}
