/**
 * Signed HTTP requests of the control-plane services (transports.md §6.1). Signed are the body and the nonce, nothing
 * else: not method, path or host.
 *
 * ```
 * SW-Public  key of the client      SW-Nonce  decimal u64      SW-Sig  sign( body ‖ nonce in decimal ASCII )
 * ```
 */

import { publicKeyOf, sign, verify } from "../core/mod.ts";
import { concatBytes, type PublicKey, type SecretKey, type Signature } from "../types/mod.ts";

/** Names of the headers. */
export const AUTH_HEADERS = { publicKey: "SW-Public", nonce: "SW-Nonce", signature: "SW-Sig" } as const;

/** Names of the headers of a network monitor. */
export const MONITOR_HEADERS = { publicKey: "NM-PK", signature: "NM-Sign" } as const;

/** The largest nonce: a u64. */
export const MAX_AUTH_NONCE: bigint = (1n << 64n) - 1n;

/** What the signature of a request covers. */
export interface AuthPayload {
  /** The body as sent; empty when there is none. */
  readonly body: Uint8Array;
  /** 0 … 2^64−1 */
  readonly nonce: bigint;
}

/** The bytes that are signed: an empty body leaves the digits of the nonce. */
export function signedPayload(payload: AuthPayload): Uint8Array<ArrayBuffer> {
  return concatBytes(payload.body, new TextEncoder().encode(payload.nonce.toString()));
}

/**
 * The headers that sign a request.
 * @param payload body and nonce
 * @param secret the client's key
 */
export function authHeaders(payload: AuthPayload, secret: SecretKey): Record<string, string> {
  return {
    [AUTH_HEADERS.publicKey]: publicKeyOf(secret),
    [AUTH_HEADERS.nonce]: payload.nonce.toString(),
    [AUTH_HEADERS.signature]: sign(signedPayload(payload), secret),
  };
}

/** Did `key` sign body and nonce? */
export function verifyAuth(
  payload: AuthPayload,
  claim: { readonly key: PublicKey; readonly signature: Signature },
): boolean {
  return verify(signedPayload(payload), claim.signature, claim.key);
}

/** Did this network monitor sign its own key? The signature covers the 66 hex digits of the key. */
export function verifyMonitor(key: PublicKey, signature: Signature): boolean {
  return verify(new TextEncoder().encode(key), signature, key);
}
