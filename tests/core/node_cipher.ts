/** ChaCha20-Poly1305 of `node:crypto`: what the core's own is held against. */

import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { concatBytes } from "../../lib/types/mod.ts";

const TAG_BYTES = 16;
const COUNTER_BYTES = 8;

/** A record's counter and what it holds. */
export interface PlainRecord {
  readonly counter: bigint;
  readonly plaintext: Uint8Array;
}

/** Seals as dmsg.md §2.6 has it: counter ‖ AEAD. */
export function sealByNode(key: Uint8Array, { counter, plaintext }: PlainRecord): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(COUNTER_BYTES);
  new DataView(head.buffer).setBigUint64(0, counter);
  const cipher = createCipheriv("chacha20-poly1305", key, nonceOf(counter), { authTagLength: TAG_BYTES });
  return concatBytes(head, Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** Opens what {@link sealByNode} gives. @throws when the tag does not match */
export function openByNode(key: Uint8Array, sealed: Uint8Array): PlainRecord {
  const counter = new DataView(sealed.buffer, sealed.byteOffset).getBigUint64(0);
  const body = sealed.subarray(COUNTER_BYTES, -TAG_BYTES);
  const cipher = createDecipheriv("chacha20-poly1305", key, nonceOf(counter), { authTagLength: TAG_BYTES });
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return { counter, plaintext: Uint8Array.from(Buffer.concat([cipher.update(body), cipher.final()])) };
}

/** Four zero bytes, then the counter in little-endian order. */
function nonceOf(counter: bigint): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, counter, true);
  return nonce;
}
