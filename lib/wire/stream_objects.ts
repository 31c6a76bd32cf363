/**
 * The two objects that open a messaging stream, and their signatures (dmsg.md §4.1–4.7). Relays forward them byte for byte.
 *
 * ```
 * SignedObject   signature 65 ‖ gob                signature = sign(gob) by the author
 * request        author = source                    hash = SHA-256 of the whole SignedObject, signature included
 * response       author = destination               carries that hash
 * ```
 *
 * The gob part is a stream of its own, with constant definitions before the value (gob.md §4.3).
 */

import { sha256, sign, verify } from "../core/mod.ts";
import {
  concatBytes,
  equalBytes,
  NULL_PUBLIC_KEY,
  type OverlayAddress,
  type PublicKey,
  type SecretKey,
  signatureBytes,
  signatureOf,
} from "../types/mod.ts";
import { Fault } from "./fault.ts";
import {
  decodeGob,
  gobBool,
  gobByteArray,
  gobBytes,
  GobEncoder,
  gobInt64,
  gobStruct,
  type GobType,
  gobUint,
  mapGob,
} from "./gob/mod.ts";
import { gobPublicKey } from "./gob_types.ts";

/** Bytes of the signature before the gob part. An object of this length or less is invalid. */
export const OBJECT_SIGNATURE_BYTES = 65;

/** The longest object that fits a session frame: 65535 less counter and tag. */
export const MAX_SIGNED_OBJECT_BYTES = 65_511;

/** Our type ids of requests and responses: the same in every object. */
const REQUEST_FIRST_ID = 65;
const RESPONSE_FIRST_ID = 68;

/** «I want to speak to that key on that port.» */
export interface StreamRequest {
  /** Unix time, ns; more than 0. */
  readonly timestamp: bigint;
  /** The dialer, and its ephemeral port. */
  readonly source: OverlayAddress;
  /** Who is called, and on which port. */
  readonly destination: OverlayAddress;
  /** «Tell me my address», asked of the server itself. */
  readonly ipInfo: boolean;
  /** KK message 1; empty with `ipInfo`. */
  readonly noiseMessage: Uint8Array;
}

/** The answer to one. */
export interface StreamResponse {
  /** 32 bytes: {@link objectHash} of the request. */
  readonly requestHash: Uint8Array;
  /** Does the destination go on? */
  readonly accepted: boolean;
  /** 4 or 16 bytes in answer to `ipInfo`, else empty. */
  readonly ip: Uint8Array;
  /** One of {@link MESSAGING_ERRORS} when not accepted, else 0. */
  readonly errorCode: number;
  /** KK message 2 when accepted. */
  readonly noiseMessage: Uint8Array;
}

/** What a numbered error of the messaging protocol says, and whether trying again makes sense. */
export interface MessagingErrorText {
  /** The words of v1.3. */
  readonly text: string;
  /** Does trying again make sense? */
  readonly temporary?: true;
}

/** All numbered errors (dmsg.md §4.6). */
export const MESSAGING_ERRORS: Readonly<Record<number, MessagingErrorText>> = {
  100: { text: "entry is not found in discovery" },
  101: { text: "entry is not of server in discovery" },
  102: { text: "entry is not of client in discovery" },
  103: { text: "client entry in discovery has no delegated servers" },
  200: { text: "local entity closed" },
  201: { text: "local session closed" },
  202: { text: "cannot connect to delegated server" },
  203: { text: "extra bytes received during session handshake" },
  300: { text: "request has invalid signature" },
  301: { text: "request timestamp should be higher than last" },
  302: { text: "request has invalid source public key" },
  303: { text: "request has invalid destination public key" },
  304: { text: "request has invalid source port" },
  305: { text: "request has invalid destination port" },
  306: { text: "request has no associated listener", temporary: true },
  307: { text: "request cannot be forwarded because the next session is non-existent" },
  350: { text: "response has invalid signature" },
  351: { text: "response has invalid hash of associated request" },
  352: { text: "response rejected associated request without reason" },
  370: { text: "signed object is invalid" },
  400: { text: "port already occupied" },
  401: { text: "listener accept chan maxed", temporary: true },
};

/** The error behind an answer that was not accepted: 352 for a number that is not known. */
export function messagingErrorCode(code: number): number {
  return MESSAGING_ERRORS[code] === undefined ? 352 : code;
}

/** The display form of a numbered error: `dmsg error 306 - request has no associated listener`. */
export function describeMessagingError(code: number): string {
  const known = messagingErrorCode(code);
  return `dmsg error ${known} - ${MESSAGING_ERRORS[known]?.text}`;
}

/** Why an object was refused, with the number that could be sent back. */
export class StreamFault extends Fault<`stream/${number}`> {
  /** One of {@link MESSAGING_ERRORS}. */
  readonly errorCode: number;

  /**
   * Makes the fault of a numbered error.
   * @param errorCode the number
   * @param cause more words, when the number alone does not tell
   */
  constructor(errorCode: number, cause?: string) {
    const message = describeMessagingError(errorCode);
    super(`stream/${errorCode}`, cause === undefined ? message : `${message}: ${cause}`);
    this.errorCode = errorCode;
  }
}

/** The hash that a response repeats: of the whole object. 32 bytes. */
export function objectHash(signedObject: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(signedObject);
}

/** Writes and signs a request. @param secret of `request.source` */
export function encodeSignedRequest(request: StreamRequest, secret: SecretKey): Uint8Array<ArrayBuffer> {
  return signObject(new GobEncoder(REQUEST_FIRST_ID).encode(gobStreamRequest, request), secret);
}

/** Writes and signs a response. @param secret of the request's destination */
export function encodeSignedResponse(response: StreamResponse, secret: SecretKey): Uint8Array<ArrayBuffer> {
  return signObject(new GobEncoder(RESPONSE_FIRST_ID).encode(gobStreamResponse, response), secret);
}

/** Reads a request without checking it. */
export function decodeRequest(signedObject: Uint8Array): StreamRequest | StreamFault {
  return decodeObject(signedObject, gobStreamRequest);
}

/** Reads a response without checking it. */
export function decodeResponse(signedObject: Uint8Array): StreamResponse | StreamFault {
  return decodeObject(signedObject, gobStreamResponse);
}

/**
 * Reads a request and checks it, in the order of v1.3 (dmsg.md §4.4). Whether source and destination are the right
 * ones is for the caller to say.
 * @param signedObject as received
 * @param minTimestamp the request must be later than this, ns
 */
export function checkRequest(signedObject: Uint8Array, minTimestamp = 0n): StreamRequest | StreamFault {
  const request = decodeRequest(signedObject);
  if (request instanceof Fault) return request;
  const { source, destination, timestamp } = request;
  if (source.publicKey === NULL_PUBLIC_KEY) return new StreamFault(302);
  if (source.port === 0) return new StreamFault(304);
  if (destination.publicKey === NULL_PUBLIC_KEY) return new StreamFault(303);
  if (destination.port === 0) return new StreamFault(305);
  if (timestamp <= minTimestamp) return new StreamFault(301);
  return isSignedBy(signedObject, source.publicKey) ? request : new StreamFault(300);
}

/**
 * Reads a response and checks it, in the order of v1.3 (dmsg.md §4.3): hash, signature, acceptance.
 * @param signedObject as received
 * @param expected the hash of the request, and its destination, who must have signed
 */
export function checkResponse(
  signedObject: Uint8Array,
  expected: { readonly requestHash: Uint8Array; readonly author: PublicKey },
): StreamResponse | StreamFault {
  const response = decodeResponse(signedObject);
  if (response instanceof Fault) return response;
  if (!equalBytes(response.requestHash, expected.requestHash)) return new StreamFault(351);
  if (!isSignedBy(signedObject, expected.author)) return new StreamFault(350);
  return response.accepted ? response : new StreamFault(messagingErrorCode(response.errorCode));
}

function signObject(gob: Uint8Array, secret: SecretKey): Uint8Array<ArrayBuffer> {
  return concatBytes(signatureBytes(sign(gob, secret)), gob);
}

function decodeObject<T>(signedObject: Uint8Array, type: GobType<T>): T | StreamFault {
  if (signedObject.length <= OBJECT_SIGNATURE_BYTES) return new StreamFault(370);
  const value = decodeGob(signedObject.subarray(OBJECT_SIGNATURE_BYTES), type);
  return value instanceof Fault ? new StreamFault(370, value.message) : value;
}

function isSignedBy(signedObject: Uint8Array, author: PublicKey): boolean {
  const signature = signatureOf(signedObject.subarray(0, OBJECT_SIGNATURE_BYTES));
  return verify(signedObject.subarray(OBJECT_SIGNATURE_BYTES), signature, author);
}

interface WireAddress {
  readonly PK: PublicKey;
  readonly Port: number;
}

interface WireRequest {
  readonly Timestamp: bigint;
  readonly SrcAddr: OverlayAddress;
  readonly DstAddr: OverlayAddress;
  readonly IPinfo: boolean;
  readonly NoiseMsg: Uint8Array;
}

interface WireResponse {
  readonly ReqHash: Uint8Array;
  readonly Accepted: boolean;
  readonly IP: Uint8Array;
  readonly ErrCode: number;
  readonly NoiseMsg: Uint8Array;
}

const NO_ADDRESS: OverlayAddress = { publicKey: NULL_PUBLIC_KEY, port: 0 };

const gobAddress: GobType<OverlayAddress> = mapGob<WireAddress, OverlayAddress>(
  gobStruct<WireAddress>("Addr", { PK: gobPublicKey, Port: gobUint(16) }),
  {
    decode: (wire) => ({ publicKey: wire.PK, port: wire.Port }),
    encode: (address) => ({ PK: address.publicKey, Port: address.port }),
    zero: NO_ADDRESS,
  },
);

/** The codec of requests. */
export const gobStreamRequest: GobType<StreamRequest> = mapGob<WireRequest, StreamRequest>(
  gobStruct<WireRequest>("StreamRequest", {
    Timestamp: gobInt64,
    SrcAddr: gobAddress,
    DstAddr: gobAddress,
    IPinfo: gobBool,
    NoiseMsg: gobBytes,
  }),
  {
    decode: (wire) => ({
      timestamp: wire.Timestamp,
      source: wire.SrcAddr,
      destination: wire.DstAddr,
      ipInfo: wire.IPinfo,
      noiseMessage: wire.NoiseMsg,
    }),
    encode: (request) => ({
      Timestamp: request.timestamp,
      SrcAddr: request.source,
      DstAddr: request.destination,
      IPinfo: request.ipInfo,
      NoiseMsg: request.noiseMessage,
    }),
    zero: { timestamp: 0n, source: NO_ADDRESS, destination: NO_ADDRESS, ipInfo: false, noiseMessage: new Uint8Array() },
  },
);

/** The codec of responses. */
export const gobStreamResponse: GobType<StreamResponse> = mapGob<WireResponse, StreamResponse>(
  gobStruct<WireResponse>("StreamResponse", {
    ReqHash: gobByteArray("SHA256", { length: 32, goName: "cipher.SHA256" }),
    Accepted: gobBool,
    IP: gobBytes,
    ErrCode: gobUint(16),
    NoiseMsg: gobBytes,
  }),
  {
    decode: (wire) => ({
      requestHash: wire.ReqHash,
      accepted: wire.Accepted,
      ip: wire.IP,
      errorCode: wire.ErrCode,
      noiseMessage: wire.NoiseMsg,
    }),
    encode: (response) => ({
      ReqHash: response.requestHash,
      Accepted: response.accepted,
      IP: response.ip,
      ErrCode: response.errorCode,
      NoiseMsg: response.noiseMessage,
    }),
    zero: {
      requestHash: new Uint8Array(32),
      accepted: false,
      ip: new Uint8Array(),
      errorCode: 0,
      noiseMessage: new Uint8Array(),
    },
  },
);
