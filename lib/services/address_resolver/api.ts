/**
 * The HTTP API of the address resolver (transports.md §7.1–7.5). Visors bind for sudph over UDP, see `sudph.ts`.
 *
 * | method, path | signed | answers |
 * |---|---|---|
 * | POST, DELETE `/bind/stcpr` | yes | nothing |
 * | GET `/resolve/{type}/{key}` | yes | where the visor listens; nothing with 400, 404 |
 * | GET `/transports` | | `{"sudph":[key…],"stcpr":[key…]}`; `{}` when nobody is bound |
 * | DELETE `/deregister/{type}` | by a monitor | `null` |
 *
 * Tested in tests/services/address_resolver/resolver_test.ts.
 */

import { formatAddress, parseAddress } from "../../runtime/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { formatHtmlSafeString, type JsonFaultCode, JsonObject } from "../../wire/go_json.ts";
import type { PublicKey } from "../../types/mod.ts";
import type { ErrorFormat } from "../http/mod.ts";

/** Paths below the base URL. */
export const PATHS = {
  bind: "/bind/stcpr",
  /** Followed by `/`, a type, `/` and a key. */
  resolve: "/resolve",
  list: "/transports",
  /** Followed by `/` and a type. */
  deregister: "/deregister",
} as const;

/** TCP, found through the resolver. */
export const STCPR = "stcpr";

/** UDP through NATs, bound over UDP. */
export const SUDPH = "sudph";

/** Types that the API knows. */
export const TYPES: readonly string[] = [STCPR, SUDPH];

/** The largest body, bytes: some thousand addresses of one visor, or a hundred keys of a monitor. */
export const MAX_BODY_BYTES = 65_536;

/** What a visor says of itself when it binds. */
export interface LocalAddresses {
  /** Where it listens, in decimal; text on the wire. */
  readonly port: string;
  /** Its IP addresses; undefined is `null` on the wire. */
  readonly addresses: readonly string[] | undefined;
}

/** Where a visor is. */
export interface VisorAddresses extends LocalAddresses {
  /** The address that the resolver saw, without a port for stcpr. */
  readonly remoteAddress: string;
  /**
   * Is the visor in the network of the visor that asks? v1.3 never says so (transports.md §7.3). If so, `addresses`
   * are tried first.
   */
  readonly isLocal: boolean;
}

/** The form of errors: those without a text of v1.3 are answered with an empty body by `http.ts`. */
export const ERROR_FORMAT: ErrorFormat = {
  contentType: "application/json",
  known: { "address-resolver/not-bindable": { status: 400 } },
  body: (_status, message) => `{"error":${formatHtmlSafeString(message)}}`,
};

/** The body of a binding as v1.3 writes it, with its newline. */
export function formatLocalAddresses(local: LocalAddresses): string {
  return `{"port":${formatHtmlSafeString(local.port)},"addresses":${formatList(local.addresses)}}\n`;
}

/** Reads the body of a binding, as leniently as v1.3. */
export function parseLocalAddresses(text: string): LocalAddresses | Fault<JsonFaultCode> {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return object;
  const local = { port: object.string("port"), addresses: object.strings("addresses") };
  return object.fault ?? local;
}

/** The answer to a question for a visor. */
export function formatVisorAddresses(visor: VisorAddresses): string {
  const isLocal = visor.isLocal ? `"is_local":true,` : "";
  return `{"remote_addr":${formatHtmlSafeString(visor.remoteAddress)},${isLocal}"port":${
    formatHtmlSafeString(visor.port)
  },"addresses":${formatList(visor.addresses)}}`;
}

/** Reads the answer to a question for a visor. */
export function parseVisorAddresses(text: string): VisorAddresses | Fault<JsonFaultCode> {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return object;
  const visor = {
    remoteAddress: object.string("remote_addr"),
    isLocal: object.boolean("is_local"),
    port: object.string("port"),
    addresses: object.strings("addresses"),
  };
  return object.fault ?? visor;
}

/** Who is bound, by type. A type without anybody is left out. */
export function formatListed(
  bound: { readonly sudph: readonly PublicKey[]; readonly stcpr: readonly PublicKey[] },
): string {
  const lists = Object.entries({ [SUDPH]: bound.sudph, [STCPR]: bound.stcpr });
  return `{${
    lists.filter(([, keys]) => keys.length > 0).map(([type, keys]) => `"${type}":${formatList(keys)}`).join()
  }}`;
}

/** Reads who is bound for stcpr. */
export function parseListed(text: string): readonly PublicKey[] | Fault<JsonFaultCode> {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return object;
  const keys = object.publicKeys(STCPR) ?? [];
  return object.fault ?? keys;
}

/**
 * What to dial, in the order in which it is tried (transports.md §7.7): `host:port` each. What is no address is left
 * out.
 */
export function dialOrder(visor: VisorAddresses): readonly string[] {
  const port = Number(visor.port);
  const withPort = (host: string): string => formatAddress(host, port);
  const near = visor.isLocal ? (visor.addresses ?? []).map(withPort) : [];
  const far = parseAddress(visor.remoteAddress) === undefined ? withPort(visor.remoteAddress) : visor.remoteAddress;
  return [...new Set([...near, far])].filter((address) => (parseAddress(address)?.port ?? 0) > 0);
}

function formatList(items: readonly string[] | undefined): string {
  return items === undefined ? "null" : `[${items.map(formatHtmlSafeString).join()}]`;
}
