/**
 * The core's ChaCha20-Poly1305 beside that of `node:crypto`, and records through their facade.
 *
 *     deno bench -A tests/bench/aead_bench.ts
 *
 * One iteration of the first is ten calls. «core» seals and opens session objects through the facade, so copies to and from
 * the core's memory and the counter are included; both get and give JavaScript's arrays.
 */

import { Records } from "../../lib/core/mod.ts";
import { openByNode, sealByNode } from "../core/node_cipher.ts";

const CALLS = 10;
const PREFIX_BYTES = 2;
const key = new Uint8Array(32).fill(1);

for (const length of [64, 256, 1024, 4070]) {
  const plaintext = new Uint8Array(length).fill(3);

  Deno.bench(`core: seal ${length} bytes`, { group: `seal ${length}`, baseline: true }, (bench) => {
    using sender = Records.ofKeys({ send: key, receive: key });
    bench.start();
    for (let i = 0; i < CALLS; i++) sender.sealObject(plaintext);
    bench.end();
  });
  Deno.bench(`node:crypto: seal ${length} bytes`, { group: `seal ${length}` }, (bench) => {
    bench.start();
    for (let i = 1; i <= CALLS; i++) sealByNode(key, { counter: BigInt(i), plaintext });
    bench.end();
  });

  Deno.bench(`core: open ${length} bytes`, { group: `open ${length}`, baseline: true }, (bench) => {
    using both = Records.ofKeys({ send: key, receive: key });
    // An object is opened once only.
    const sealed = Array.from({ length: CALLS }, () => both.sealObject(plaintext).subarray(PREFIX_BYTES));
    bench.start();
    for (const object of sealed) both.openObject(object);
    bench.end();
  });
  Deno.bench(`node:crypto: open ${length} bytes`, { group: `open ${length}` }, (bench) => {
    const sealed = sealByNode(key, { counter: 1n, plaintext });
    bench.start();
    for (let i = 0; i < CALLS; i++) openByNode(key, sealed);
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
