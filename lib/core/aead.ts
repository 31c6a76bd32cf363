/**
 * The bare ChaCha20-Poly1305 of the core (RFC 8439): for tests and benchmarks of the kernel. The network's data goes
 * through `Records`.
 */

import { checkCrypto } from "./crypto_faults.ts";
import { core } from "./instance.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { copyAt, intoScratch, SCRATCH, wipeScratch } from "./memory.ts";

/** Input in the first half of the scratch area, output in the second. */
const HALF = SCRATCH_BYTES / 2;
const OUTPUT = SCRATCH + HALF;
const TAG_BYTES = 16;

/** What both directions need. */
export interface AeadOptions {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** Authenticated beside the text; none when absent. */
  readonly ad?: Uint8Array;
}

/**
 * Seals.
 * @param plaintext together with the associated data less than 96 KiB
 * @returns ciphertext and tag: 16 bytes more than the plaintext
 * @throws {RangeError} when key or nonce has another length, or the input is longer
 */
export function aeadSeal(plaintext: Uint8Array, options: AeadOptions): Uint8Array<ArrayBuffer> {
  return run(plaintext, options, core.aead_seal);
}

/**
 * Opens.
 * @param sealed ciphertext and tag, together with the associated data less than 96 KiB
 * @returns the plaintext
 * @throws {ProtocolError} `aead/authentication` when the tag does not match or is incomplete
 * @throws {RangeError} when key or nonce has another length, or the input is longer
 */
export function aeadOpen(sealed: Uint8Array, options: AeadOptions): Uint8Array<ArrayBuffer> {
  return run(sealed, options, core.aead_open);
}

function run(input: Uint8Array, options: AeadOptions, call: typeof core.aead_seal): Uint8Array<ArrayBuffer> {
  const { key, nonce, ad = new Uint8Array() } = options;
  if (key.length !== 32 || nonce.length !== 12) throw new RangeError("The key has 32 bytes and the nonce 12");
  if (44 + ad.length + input.length > HALF - TAG_BYTES) {
    throw new RangeError("The input is too long for the scratch area");
  }
  const [at, , adAt, inputAt] = intoScratch(key, nonce, ad, input) as [number, number, number, number];
  try {
    const status = call(at, adAt, ad.length, inputAt, input.length, OUTPUT);
    return copyAt(OUTPUT, checkCrypto(status, { area: "aead", action: "Seal or open" }));
  } finally {
    wipeScratch(44);
  }
}
