/**
 * The core's ChaCha20-Poly1305 beside `node:crypto`, and records through their facade.
 *
 *     deno bench -A tests/bench/aead_bench.ts
 *
 * «kernel» works on memory of the core, as the switch does; `node:crypto` gets and gives JavaScript's arrays. The kernel
 * at its best, on an idle EPYC: 0.36 µs for 64 bytes, 1.6 µs for 1024, 5.1 µs for 4070, sealing and opening alike. One
 * iteration of either is ten calls.
 */

import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { core } from "../../lib/core/instance.ts";
import { SCRATCH_BYTES } from "../../lib/core/layout.ts";
import { copyAt, intoScratch, SCRATCH } from "../../lib/core/memory.ts";
import { Records } from "../../lib/core/mod.ts";

const key = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(12).fill(2);
const OUTPUT = SCRATCH + SCRATCH_BYTES / 2;

for (const length of [64, 256, 1024, 4070]) {
  const plaintext = new Uint8Array(length).fill(3);

  Deno.bench(`kernel: seal ${length} bytes`, { group: `seal ${length}`, baseline: true }, (bench) => {
    const [keyAt, , textAt] = intoScratch(key, nonce, plaintext) as [number, number, number];
    bench.start();
    for (let i = 0; i < 10; i++) core.aead_seal(keyAt, keyAt, 0, textAt, length, OUTPUT);
    bench.end();
  });
  Deno.bench(`node:crypto: seal ${length} bytes`, { group: `seal ${length}` }, (bench) => {
    bench.start();
    for (let i = 0; i < 10; i++) {
      const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
      Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    }
    bench.end();
  });

  Deno.bench(`kernel: open ${length} bytes`, { group: `open ${length}`, baseline: true }, (bench) => {
    const [keyAt, , textAt] = intoScratch(key, nonce, plaintext) as [number, number, number];
    core.aead_seal(keyAt, keyAt, 0, textAt, length, OUTPUT);
    bench.start();
    for (let i = 0; i < 10; i++) core.aead_open(keyAt, keyAt, 0, OUTPUT, length + 16, textAt);
    bench.end();
  });
  Deno.bench(`node:crypto: open ${length} bytes`, { group: `open ${length}` }, (bench) => {
    const [keyAt, , textAt] = intoScratch(key, nonce, plaintext) as [number, number, number];
    core.aead_seal(keyAt, keyAt, 0, textAt, length, OUTPUT);
    const sealed = copyAt(OUTPUT, length + 16);
    bench.start();
    for (let i = 0; i < 10; i++) {
      const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
      cipher.setAuthTag(sealed.subarray(length));
      Buffer.concat([cipher.update(sealed.subarray(0, length)), cipher.final()]);
    }
    bench.end();
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
