/** Keys and signatures as values; the mathematics are in `lib/core`. Text forms: dmsg.md §1.1. */

import type { Branded } from "./brand.ts";

/** A compressed secp256k1 point as 66 lower-case hex digits: sorts as its 33 bytes do, and is compared with `===`. */
export type PublicKey = Branded<string, "PublicKey">;

/** A recoverable signature as 130 lower-case hex digits: r, s, recovery id (dmsg.md §1.3). */
export type Signature = Branded<string, "Signature">;

/** 33 zero bytes: «nobody». It occurs in memory and JSON, and is no valid key. */
export const NULL_PUBLIC_KEY: PublicKey = "0".repeat(66) as PublicKey;

/** 65 zero bytes: a signature that is not there yet. */
export const NULL_SIGNATURE: Signature = "0".repeat(130) as Signature;

/** Gives the 33 bytes of a public key: `02` or `03`, then x, big-endian (dmsg.md §1.1). */
export function publicKeyBytes(key: PublicKey): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(key);
}

/** Gives the 65 bytes of a signature: r, s, recovery id (dmsg.md §1.3). */
export function signatureBytes(signature: Signature): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(signature);
}

/**
 * Makes a signature of its bytes.
 * @param bytes 65 bytes: r, s, recovery id
 * @throws {RangeError} when there are not 65
 */
export function signatureOf(bytes: Uint8Array): Signature {
  if (bytes.length !== 65) throw new RangeError(`A signature has 65 bytes, not ${bytes.length}`);
  return bytes.toHex() as Signature;
}

/** Gives the first 8 digits of a key, as logs show it. */
export function shortKey(key: PublicKey): string {
  return key.slice(0, 8);
}

/**
 * The 32 bytes of a secret key, kept from printing: text, JSON and inspection show `SecretKey(redacted)`.
 * The maker disposes it; disposing wipes the bytes.
 */
export class SecretKey implements Disposable {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /**
   * Takes a copy of a secret; the caller wipes its own.
   * @param bytes 32 bytes. This does not check that they are a valid scalar; `parseSecretKey` does.
   * @throws {RangeError} when there are not 32
   */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== 32) throw new RangeError(`A secret key has 32 bytes, not ${bytes.length}`);
    this.#bytes = new Uint8Array(bytes);
  }

  /** Gives the bytes themselves, not a copy. Only the core and the key file need them. */
  expose(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Overwrites the bytes with zeros. */
  [Symbol.dispose](): void {
    this.#bytes.fill(0);
  }

  /** Says `SecretKey(redacted)`, never the secret. */
  toString(): string {
    return "SecretKey(redacted)";
  }

  /** Says `SecretKey(redacted)`, never the secret. */
  toJSON(): string {
    return this.toString();
  }

  /** Says `SecretKey(redacted)`, never the secret. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}
