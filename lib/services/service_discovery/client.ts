/**
 * The client of the service discovery of v1.3, as far as visors need it: public visors are listed there, and others find
 * them (visor-and-apps.md §8). Tested in tests/services/service_discovery/client_test.ts.
 */

import { ProtocolError, RefusedError, UnavailableError } from "../../errors/mod.ts";
import { publicKeyOf } from "../../core/mod.ts";
import { PUBLIC_KEY_TEXT } from "../../check/mod.ts";
import type { PublicKey, SecretKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { isJsonObject, parseJson } from "../../wire/go_json.ts";
import { createServiceClient, createSignedClient, type ServiceAnswer, type ServiceClientDeps } from "../http/mod.ts";

const PATH = "/api/services";
/** The type of public visors; others are apps. */
const VISOR = "visor";

/** What a client needs. `{ ...runtime, url, secret }` fits. */
export interface ServiceDiscoveryClientDeps extends ServiceClientDeps {
  /** The key of the visor that is listed; it signs the requests. The client does not dispose it. */
  readonly secret: SecretKey;
}

/**
 * Asks a service discovery. Every method throws {UnavailableError} `http/unreachable`, `http/timeout` or
 * `service-discovery/failed`, {RefusedError} `service-discovery/refused` with the text on the wire in the message, and
 * {ProtocolError} `service-discovery/bad-answer`.
 */
export interface ServiceDiscoveryClient {
  /**
   * Lists this visor as a public one.
   * @param port where it accepts TCP transports, 1–65535
   * @param options its version, and its addresses: the one that the discovery sees must be among them
   */
  list(
    port: number,
    options: { readonly version: string; readonly addresses: readonly string[] },
  ): Promise<void>;
  /** Takes this visor off the list. Harmless when it is not there. */
  unlist(port: number): Promise<void>;
  /** The public visors. */
  visors(): Promise<readonly PublicKey[]>;
}

/** Makes a client. */
export function createServiceDiscoveryClient(deps: ServiceDiscoveryClientDeps): ServiceDiscoveryClient {
  const signed = createSignedClient(deps);
  const plain = createServiceClient(deps);
  const localKey = publicKeyOf(deps.secret);
  return {
    list: async (port, { version, addresses }) => {
      const body = JSON.stringify({ address: `${localKey}:${port}`, type: VISOR, version, local_ips: addresses });
      check(await signed({ method: "POST", path: PATH, body }));
    },
    unlist: async (port) => {
      check(await signed({ method: "DELETE", path: `${PATH}/${localKey}:${port}?type=${VISOR}` }));
    },
    visors: async () => visorsIn(await plain({ method: "GET", path: `${PATH}?type=${VISOR}`, isList: true })),
  };
}

function visorsIn(answer: ServiceAnswer): PublicKey[] {
  check(answer);
  const json = parseJson(answer.text);
  // Without any, v1.3 answers null.
  if (json === null) return [];
  if (json instanceof Fault || !Array.isArray(json)) {
    throw new ProtocolError("service-discovery/bad-answer", "Ask the service discovery: its answer is no list");
  }
  return json.flatMap((entry) => {
    const address = isJsonObject(entry) ? entry.address : undefined;
    const [key = ""] = typeof address === "string" ? address.split(":") : [];
    return PUBLIC_KEY_TEXT.test(key) ? [key as PublicKey] : [];
  });
}

function check({ status, text }: ServiceAnswer): void {
  if (status >= 200 && status < 300) return;
  const message = `Ask the service discovery: ${text.trim().slice(0, 200) || status}`;
  if (status >= 500) throw new UnavailableError("service-discovery/failed", message);
  throw new RefusedError("service-discovery/refused", message);
}
