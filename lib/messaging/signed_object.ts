/**
 * Signed objects as errors see them: `lib/wire` checks them and gives numbered faults; here a fault is somebody's refusal or
 * somebody's breach of the protocol.
 */

import { ProtocolError } from "../errors/mod.ts";
import { Fault } from "../wire/fault.ts";
import { checkRequest, objectHash } from "../wire/stream_objects.ts";
import type { StreamFault, StreamRequest } from "../wire/stream_objects.ts";

/** Numbers that this program gives or acts upon (dmsg.md §4.6). */
export const WIRE_CODE = {
  requestSource: 302,
  requestDestination: 303,
  noListener: 306,
  noNextSession: 307,
  responseSignature: 350,
  responseHash: 351,
  rejected: 352,
  signedObject: 370,
  busy: 401,
} as const;

/** A request whose signature and fields are right. */
export interface CheckedRequest {
  readonly value: StreamRequest;
  /** SHA-256 over signature and gob, 32 bytes: what a response refers to. */
  readonly hash: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a request and checks it (dmsg.md §4.4 step 2).
 * @param object as opened from the session; any bytes
 * @throws {ProtocolError} `messaging/bad-request`, with `details.wireCode`
 */
export function openRequest(object: Uint8Array): CheckedRequest {
  const request = checkRequest(object);
  if (request instanceof Fault) throw badRequest(request.errorCode, request.message);
  return { value: request, hash: objectHash(object) };
}

/** The error for a request that is not what it must be. */
export function badRequest(wireCode: number, why: string): ProtocolError {
  return new ProtocolError("messaging/bad-request", `Check a stream request: ${why}`, { details: { wireCode } });
}

/**
 * Is it the author's own «no», rather than something that the author did not sign? Only such a fault may be believed.
 * @param fault of `checkResponse`
 */
export function isRefusal(fault: StreamFault): boolean {
  const broken: readonly number[] = [WIRE_CODE.responseSignature, WIRE_CODE.responseHash, WIRE_CODE.signedObject];
  return !broken.includes(fault.errorCode);
}

/** The error for a response that is not what it must be. */
export function badResponse(fault: StreamFault): ProtocolError {
  return new ProtocolError("messaging/bad-response", `Check a stream response: ${fault.message}`, {
    details: { wireCode: fault.errorCode },
  });
}
