/**
 * The client of the address resolver, for any that speaks the v1.3 API. Tested in
 * tests/services/address_resolver/resolver_test.ts.
 */

import { ProtocolError, RefusedError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import type { PublicKey, SecretKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { JsonObject } from "../../wire/go_json.ts";
import { keyTextOf } from "../../wire/key_url.ts";
import { createServiceClient, createSignedClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";
import { dialOrder, formatLocalAddresses, parseListed, parseVisorAddresses, PATHS, STCPR } from "./api.ts";
import { isPublicIPv4 } from "./public_ip.ts";

/**
 * Asks an address resolver (transports.md §7). Requests are signed, but for `listed`; signed requests are sent one after
 * the other.
 *
 * Every method throws {UnavailableError} `http/unreachable` or `http/timeout` when there is no answer, and
 * `address-resolver/failed` when the resolver is in trouble; {RefusedError} `address-resolver/refused`, with the text on
 * the wire as `details.message`; {ProtocolError} `address-resolver/bad-answer` for an answer that nobody can read.
 */
export interface AddressResolverClient {
  /**
   * Registers where this visor accepts TCP transports. Repeat it every 5 minutes.
   * @param port 1–65535
   * @param addresses IP addresses of this visor; the one that the resolver sees must be among them
   */
  bind(port: number, addresses: readonly string[]): Promise<void>;
  /** Removes the registration of this visor. Harmless when there is none. */
  unbind(): Promise<void>;
  /**
   * Asks where a visor accepts TCP transports.
   * @returns `host:port`, at least one, in the order to try; undefined when the resolver does not know the visor
   */
  resolve(key: PublicKey, options?: { readonly signal?: AbortSignal }): Promise<readonly string[] | undefined>;
  /** Lists all visors that accept TCP transports. */
  listed(): Promise<readonly PublicKey[]>;
}

/** What a client of an address resolver needs. `{ ...runtime, url, secret }` fits. */
export interface AddressResolverClientDeps extends ServiceClientDeps {
  /** The key of the visor that registers and asks; it signs the requests. The client does not dispose it. */
  readonly secret: SecretKey;
}

/**
 * Makes a client of an address resolver.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { generateSecretKey } from "../../core/mod.ts";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createAddressResolver, createAddressResolverClient } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * using secret = generateSecretKey(runtime.random);
 * // The resolver is in this process, so no server is needed. A client of another takes `http: runtime.http`.
 * const http = await createAddressResolver({ runtime });
 * const client = createAddressResolverClient({ ...runtime, http, url: "http://resolver", secret });
 * assert((await client.listed()).length === 0);
 * await http.close();
 * ```
 */
export function createAddressResolverClient(deps: AddressResolverClientDeps): AddressResolverClient {
  let claimed: string | undefined;
  // A resolver that is reached over messaging does not see where a request comes from (transports.md §6.1).
  const isAtKey = keyTextOf(new URL(deps.url)) !== undefined;
  const signed = createSignedClient({ ...deps, ...(isAtKey && { publicIp: () => claimed }) });
  const plain = createServiceClient(deps);
  return {
    bind: async (port, addresses) => {
      const body = formatLocalAddresses({ port: String(port), addresses });
      claimed = addresses.find(isPublicIPv4) ?? addresses[0];
      textOf(await signed({ method: "POST", path: PATHS.bind, body }));
    },
    unbind: async () => void textOf(await signed({ method: "DELETE", path: PATHS.bind, body: "{}\n" })),
    resolve: async (key, { signal } = {}) => {
      const answer = await signed({ method: "GET", path: `${PATHS.resolve}/${STCPR}/${key}`, signal });
      if (answer.status === 404) return undefined;
      const visor = parseVisorAddresses(textOf(answer));
      if (visor instanceof Fault) throw badAnswer();
      const addresses = dialOrder(visor);
      if (addresses.length === 0) throw badAnswer();
      return addresses;
    },
    listed: async () => {
      const keys = parseListed(textOf(await plain({ method: "GET", path: PATHS.list, isList: true })));
      return keys instanceof Fault ? reject(badAnswer()) : keys;
    },
  };
}

/** The text of a good answer. */
function textOf(answer: ServiceAnswer): string {
  return answer.status === 200 ? answer.text : reject(errorOf(answer));
}

function errorOf({ status, text }: ServiceAnswer): SkywireError {
  const body = JsonObject.parse(text);
  const message = body instanceof JsonObject ? body.string("error").slice(0, 300) : "";
  const details = { status, message };
  if (status >= 500 || status === 429) {
    return new UnavailableError("address-resolver/failed", `Ask the address resolver: it answered ${status}`, {
      details,
    });
  }
  return new RefusedError("address-resolver/refused", `Ask the address resolver: ${message || status}`, { details });
}

function badAnswer(): ProtocolError {
  return new ProtocolError("address-resolver/bad-answer", "Read the answer of the address resolver");
}

function reject(error: SkywireError): never {
  throw error;
}
