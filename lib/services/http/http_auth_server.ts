/**
 * Signed requests, the side of the service (transports.md §6.1). Checks and texts come in the order in which v1.3 makes
 * them, since its clients compare texts; the nonce is compared before the signature, and counts when the answer is 200.
 * Tested in tests/services/http/auth_test.ts.
 */

import * as v from "valibot";
import { recover } from "../../core/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import type { Timers } from "../../runtime/mod.ts";
import { NULL_PUBLIC_KEY, type PublicKey, type Signature } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { AUTH_HEADERS, MAX_AUTH_NONCE, signedPayload, verifyAuth } from "../../wire/http_auth.ts";
import { type HttpCall, JSON_TYPE, type Route } from "./app.ts";
import type { DocumentedRoute } from "./docs.ts";
import { type ErrorFormat, errorResponse } from "./errors.ts";
import { readBody } from "./limits.ts";
import { isHex, parseGoKey } from "./go_errors.ts";
import type { NonceStore } from "./nonces.ts";
import { authErrorSchema, keySchema } from "./schemas.ts";
import { createKeyedSerial } from "./serial.ts";
import { TextResponse } from "./text_response.ts";

/** A request whose signature is good. */
export interface SignedCall extends HttpCall {
  /** Who signed it. */
  readonly caller: PublicKey;
  /** The body as signed. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** See {@link createHttpAuth}. */
export interface HttpAuth {
  /** Makes a route answer signed requests only. */
  signed(handle: (call: SignedCall) => Promise<Response>): Route["handle"];
  /** `GET /security/nonces/{pk}` */
  readonly nonceRoute: DocumentedRoute;
}

/**
 * An answer of 200 after which the nonce stays as it is: that of a v1.3 handler which wrote nothing (transports.md
 * §6.1).
 */
export class UncountedResponse extends Response {}

/** The form of the answers about log-in, in every service. */
export const AUTH_ERRORS: ErrorFormat = {
  contentType: "application/json",
  known: { "http-auth/refused": { status: 401 }, "http-auth/bad-key": { status: 400 } },
  body: (code, message) => `${JSON.stringify({ error: { message, code } })}\n`,
};

/**
 * Makes the log-in of one service.
 * @param deps its nonces; where time comes from; the largest body it takes, bytes
 */
export function createHttpAuth(
  deps: { readonly nonces: NonceStore; readonly timers: Timers; readonly maxBodyBytes: number },
): HttpAuth {
  const { nonces, timers, maxBodyBytes } = deps;
  // Requests of one key wait for each other: of two with the same nonce at once, only one may pass.
  const serial = createKeyedSerial<PublicKey>();

  const answer = async (call: HttpCall, handle: (call: SignedCall) => Promise<Response>): Promise<Response> => {
    let claim: Claim;
    try {
      claim = readClaim(call.request.headers);
    } catch (error) {
      return errorResponse(error, { format: AUTH_ERRORS });
    }
    const body = await readBody(call.request, { maxBytes: maxBodyBytes, timers });
    return await serial(claim.key, async () => {
      try {
        if (await nonces.next(claim.key) !== claim.nonce) throw refused("SW-Nonce does not match");
        checkSignature(claim, body);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        return errorResponse(error, { format: AUTH_ERRORS });
      }
      const response = await handle({
        request: call.request,
        remote: call.remote,
        param: (name) => call.param(name),
        query: (name) => call.query(name),
        caller: claim.key,
        body,
      });
      if (response.status === 200 && !(response instanceof UncountedResponse)) await nonces.advance(claim.key);
      return response;
    });
  };

  return {
    signed: (handle) => (call) => answer(call, handle),
    nonceRoute: {
      method: "GET",
      path: "/security/nonces/:key{.*}",
      doc: {
        summary: "The nonce that the next signed request of a key must carry",
        path: "/security/nonces/{key}",
        answers: {
          200: {
            text: "The nonce",
            json: v.object({ edge: keySchema, next_nonce: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
          },
          400: { text: "The path holds no public key", json: authErrorSchema },
        },
      },
      handle: async (call) => {
        const key = parseGoKey(call.param("key"));
        if (key instanceof Fault || key === NULL_PUBLIC_KEY) {
          const problem = key instanceof Fault ? key.message : "Invalid public key";
          return errorResponse(new RefusedError("http-auth/bad-key", problem), { format: AUTH_ERRORS });
        }
        return new TextResponse(`{"edge":"${key}","next_nonce":${await nonces.next(key)}}\n`, { headers: JSON_TYPE });
      },
    },
  };
}

interface Claim {
  readonly key: PublicKey;
  readonly nonce: bigint;
  readonly signature: Signature;
}

function readClaim(headers: Headers): Claim {
  const keyText = headers.get(AUTH_HEADERS.publicKey) ?? "";
  if (keyText === "") throw refused("SW-Public missing");
  const key = parseGoKey(keyText);
  if (key instanceof Fault) throw refused(`error parsing SW-Public: ${key.message}`);
  const signatureText = headers.get(AUTH_HEADERS.signature) ?? "";
  if (signatureText === "") throw refused("SW-Sig missing");
  const problem = problemOfSignature(signatureText);
  if (problem !== undefined) throw refused(`error parsing SW-Sig:'${signatureText}': ${problem}`);
  const nonceText = headers.get(AUTH_HEADERS.nonce) ?? "";
  if (nonceText === "") throw refused("SW-Nonce missing");
  if (!/^\d+$/.test(nonceText)) throw refused("error parsing SW-Nonce: invalid syntax");
  const nonce = BigInt(nonceText);
  if (nonce > MAX_AUTH_NONCE) throw refused("error parsing SW-Nonce: value out of range");
  return { key, nonce, signature: signatureText.toLowerCase() as Signature };
}

function checkSignature(claim: Claim, body: Uint8Array): void {
  const payload = { body, nonce: claim.nonce };
  if (verifyAuth(payload, claim)) return;
  const signer = recover(signedPayload(payload), claim.signature);
  if (signer === undefined) throw refused("Failed to recover pubkey from signature");
  if (signer !== claim.key) throw refused("Recovered pubkey does not match pubkey");
  throw refused("Signature not valid");
}

function problemOfSignature(text: string): string | undefined {
  if (!isHex(text)) return "Invalid signature";
  return text.length === 130 ? undefined : "Invalid signature length";
}

function refused(message: string): RefusedError {
  return new RefusedError("http-auth/refused", message);
}
