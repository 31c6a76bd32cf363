/**
 * secp256k1 keys, recoverable signatures, and SHA-256: computed in the core (dmsg.md §1).
 */

import { SecretKey } from "../types/mod.ts";
import { NULL_PUBLIC_KEY, publicKeyBytes, signatureBytes } from "../types/mod.ts";
import type { PublicKey, Signature } from "../types/mod.ts";
import { checkCrypto } from "./crypto_faults.ts";
import { core } from "./instance.ts";
import { copyAt, intoScratch, SCRATCH, viewAt, wipeScratch } from "./memory.ts";
import { SCRATCH_BYTES } from "./layout.ts";

/** Results are written to the last part of the scratch area, out of the way of arguments. */
const RESULT_BYTES = 128;
const RESULT = SCRATCH + SCRATCH_BYTES - RESULT_BYTES;
/** Messages up to this length are hashed in the scratch area, longer ones in memory asked for. */
const SCRATCH_MESSAGE_BYTES = SCRATCH_BYTES - RESULT_BYTES;

const PUBLIC_KEY_TEXT = /^[0-9a-f]{66}$/i;
const SECRET_KEY_TEXT = /^[0-9a-f]{64}$/i;
const SIGNATURE_TEXT = /^[0-9a-f]{130}$/i;

/**
 * Is the text a public key: 66 hex digits of a point on the curve (dmsg.md §1.1)? The null key is not one.
 * @param key hex of either case
 */
export function isValidPublicKey(key: string): boolean {
  if (!PUBLIC_KEY_TEXT.test(key)) return false;
  const [bytes] = intoScratch(Uint8Array.fromHex(key)) as [number];
  return core.key_public_is_valid(bytes) === 1;
}

/**
 * Reads a public key (dmsg.md §1.1).
 * @param text 66 hex digits of either case
 * @returns the key in lower case; undefined when the text is not a point on the curve, as the null key
 */
export function parsePublicKey(text: string): PublicKey | undefined {
  return isValidPublicKey(text) ? text.toLowerCase() as PublicKey : undefined;
}

/**
 * Reads a public key as v1.3 reads it from JSON: any text of nothing but zeros, the empty one included, is the null key
 * (dmsg.md §1.1).
 * @returns the key, {@linkcode NULL_PUBLIC_KEY}, or undefined when it is neither
 */
export function parsePublicKeyText(text: string): PublicKey | undefined {
  return /^0*$/.test(text) ? NULL_PUBLIC_KEY : parsePublicKey(text);
}

/**
 * Reads a secret key (dmsg.md §1.1).
 * @param text 64 hex digits of either case
 * @returns the key, to be disposed; undefined when the text is not a number from 1 to n − 1
 */
export function parseSecretKey(text: string): SecretKey | undefined {
  if (!SECRET_KEY_TEXT.test(text)) return undefined;
  const bytes = Uint8Array.fromHex(text);
  try {
    return isValidSecretKey(bytes) ? new SecretKey(bytes) : undefined;
  } finally {
    bytes.fill(0);
  }
}

/**
 * Reads the text of a signature (dmsg.md §1.3). {@linkcode verify} tells what it signs.
 * @param text 130 hex digits of either case
 * @returns the signature in lower case; undefined when the text has another form
 */
export function parseSignature(text: string): Signature | undefined {
  return SIGNATURE_TEXT.test(text) ? text.toLowerCase() as Signature : undefined;
}

/** Is it 32 bytes of a number from 1 to n − 1? */
export function isValidSecretKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  return withSecrets([bytes], ([secret]) => core.key_secret_is_valid(secret)) === 1;
}

/**
 * Computes the public key of a secret key (dmsg.md §1.1).
 * @param secret a number from 1 to n − 1
 * @throws {RangeError} when it is another number
 */
export function publicKeyOf(secret: SecretKey): PublicKey {
  withSecrets([secret.expose()], ([key]) => core.key_public_of(key, RESULT), "Compute a public key");
  return copyAt(RESULT, 33).toHex() as PublicKey;
}

/**
 * Makes a random secret key.
 *
 * ```ts
 * import { generateSecretKey, publicKeyOf, sign, verify } from "./mod.ts";
 * import { createSimulation } from "../simulation/mod.ts";
 *
 * // A seeded source is for tests; a program takes `createDenoRuntime().random`.
 * const { random } = createSimulation().runtimeFor("a");
 * using secret = generateSecretKey(random);
 * const message = new TextEncoder().encode("hello");
 * if (!verify(message, sign(message, secret), publicKeyOf(secret))) throw new Error("never");
 * ```
 *
 * @param random a source fit for secrets
 * @returns the key, to be disposed
 */
export function generateSecretKey(random: { bytes(length: number): Uint8Array }): SecretKey {
  for (;;) {
    const bytes = random.bytes(32);
    try {
      // All but about one in 2^128 are valid.
      if (isValidSecretKey(bytes)) return new SecretKey(bytes);
    } finally {
      bytes.fill(0);
    }
  }
}

/**
 * Signs the SHA-256 of a message: RFC 6979, s in the lower half, recovery id 0–3 (dmsg.md §1.3).
 * @param message any length
 * @param secret the signer's key
 * @param nonceEntropy any length, mixed into the nonce; without it, equal messages get equal signatures
 * @throws {RangeError} when the secret is not a number from 1 to n − 1
 */
export function sign(message: Uint8Array, secret: SecretKey, nonceEntropy?: Uint8Array): Signature {
  const entropy = nonceEntropy ?? new Uint8Array();
  withSecrets(
    [secret.expose(), sha256(message), entropy],
    ([key, digest, extra]) => core.key_sign(key, digest, extra, entropy.length, RESULT),
    "Sign a message",
  );
  return copyAt(RESULT, 65).toHex() as Signature;
}

/**
 * Did the owner of the key sign the message? The key is recovered and compared; a signature with v > 3 or s ≥ 2^255 is
 * refused (dmsg.md §1.3).
 * @param message any length
 * @param signature of the SHA-256 of the message
 * @param key the key that must have signed; false when it is not a point on the curve
 */
export function verify(message: Uint8Array, signature: Signature, key: PublicKey): boolean {
  const parts = intoScratch(sha256(message), signatureBytes(signature), publicKeyBytes(key));
  const [digest, sig, publicKey] = parts as [number, number, number];
  return core.key_verify(digest, sig, publicKey) === 1;
}

/**
 * Recovers the key that signed a message.
 * @returns the key, or undefined when there is none; that says nothing about who the signer should be
 */
export function recover(message: Uint8Array, signature: Signature): PublicKey | undefined {
  const [hash, sig] = intoScratch(sha256(message), signatureBytes(signature)) as [number, number];
  return core.key_recover(hash, sig, RESULT) < 0 ? undefined : copyAt(RESULT, 33).toHex() as PublicKey;
}

/**
 * SHA-256.
 * @param bytes any length
 * @returns 32 bytes
 */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length <= SCRATCH_MESSAGE_BYTES) {
    const [message] = intoScratch(bytes) as [number];
    core.digest_sha256(message, bytes.length, RESULT);
  } else {
    const message = core.core_alloc(bytes.length);
    viewAt(message, bytes.length).set(bytes);
    core.digest_sha256(message, bytes.length, RESULT);
    core.core_free(message, bytes.length);
  }
  return copyAt(RESULT, 32);
}

/** Calls the core with arguments in the scratch area, which is wiped afterwards; checks the status. */
function withSecrets(
  parts: readonly Uint8Array[],
  call: (at: [number, number, number]) => number,
  action: string = "Check a key",
): number {
  try {
    return checkCrypto(call(intoScratch(...parts) as [number, number, number]), { area: "key", action });
  } finally {
    wipeScratch(parts.reduce((length, part) => length + part.length, 0));
  }
}
