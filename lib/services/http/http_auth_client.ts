/**
 * Signed requests, the side of the client (transports.md §6.1): it knows the nonce that the service expects next, counts
 * as the service does, sends one request at a time, and repeats a request once when the service expected another nonce.
 * Tested in tests/services/http/auth_test.ts.
 */

import { publicKeyOf } from "../../core/mod.ts";
import { ProtocolError, UnavailableError } from "../../errors/mod.ts";
import type { SecretKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { isJsonObject, JsonObject, parseJson } from "../../wire/go_json.ts";
import { authHeaders } from "../../wire/http_auth.ts";
import { createSerial } from "./serial.ts";
import {
  createServiceClient,
  type ServiceAnswer,
  type ServiceClient,
  type ServiceClientDeps,
  type ServiceRequest,
} from "./service_client.ts";

/** The largest nonce of the service that is believed. */
const MAX_NONCE = (1n << 64n) - 1n;

/** How a signing client reaches its service. */
export interface SignedClientDeps extends ServiceClientDeps {
  /** Signs. Not disposed by the client. */
  readonly secret: SecretKey;
  /** Our public address, told to services that are reached over messaging and so do not see it. Not signed. */
  readonly publicIp?: () => string | undefined;
}

/**
 * Makes a client. It throws as {@link createServiceClient} does; an answer of 401 that stays is an answer like others.
 */
export function createSignedClient(deps: SignedClientDeps): ServiceClient {
  const { secret, publicIp } = deps;
  const send = createServiceClient(deps);
  const serial = createSerial();
  let nonce: bigint | undefined;

  const fetchNonce = async (signal: AbortSignal | undefined): Promise<bigint> => {
    const answer = await send({ method: "GET", path: `/security/nonces/${publicKeyOf(secret)}`, signal });
    if (answer.status !== 200) {
      throw new UnavailableError("http-auth/no-nonce", `Ask for the nonce: the service answered ${answer.status}`);
    }
    const body = JsonObject.parse(answer.text);
    const next = body instanceof JsonObject ? body.integer("next_nonce", { min: 0n, max: MAX_NONCE }) : 0n;
    if (!(body instanceof JsonObject) || body.fault !== undefined) {
      throw new ProtocolError("http-auth/bad-nonce", "Ask for the nonce: the answer holds none");
    }
    return next;
  };

  const sendSigned = async (request: ServiceRequest): Promise<ServiceAnswer> => {
    nonce ??= await fetchNonce(request.signal);
    const body = new TextEncoder().encode(request.body ?? "");
    const ip = publicIp?.();
    const answer = await send({
      ...request,
      headers: {
        ...request.headers,
        ...authHeaders({ body, nonce }, secret),
        ...(ip === undefined ? {} : { "SW-PublicIP": ip }),
      },
    });
    if (answer.status === 200) nonce++;
    return answer;
  };

  return (request) =>
    serial(async () => {
      request.signal?.throwIfAborted();
      try {
        const answer = await sendSigned(request);
        if (!isNonceRefused(answer)) return answer;
        nonce = undefined;
        return await sendSigned(request);
      } catch (error) {
        // Whether the service counted the request is unknown now.
        nonce = undefined;
        throw error;
      }
    });
}

function isNonceRefused(answer: ServiceAnswer): boolean {
  if (answer.status === 200 || !answer.text.includes('"error"')) return false;
  const body = parseJson(answer.text);
  if (body instanceof Fault || !isJsonObject(body)) return false;
  const error = body["error"];
  if (error === undefined || !isJsonObject(error)) return false;
  return error["code"] === 401n || error["message"] === "SW-Nonce does not match";
}
