/**
 * The configuration file of a v1.3 visor, `skywire-config.json` (visor-and-apps.md §3.1), read as far as this program can
 * do what it says. Every key that says something else is named, so that nobody relies on what does not happen.
 */

import * as v from "valibot";
import { isValidSecretKey, publicKeyOf } from "../../core/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import { parseAddress } from "../../runtime/mod.ts";
import { parseHex, SecretKey } from "../../types/mod.ts";
import { readV13Apps, v13AppSchema, type V13Proxies } from "./v13_apps.ts";
import { addressBookSchema } from "./visor_config.ts";
import { isKeyUrl, type NetworkConfig, serviceUrlSchema } from "../../network/mod.ts";
import { publicKeySchema } from "../../check/mod.ts";
import type { WantedTransport } from "../transports/wanted.ts";
import { MAX_MESSAGING_SESSIONS, type VisorConfig } from "./visor_config.ts";
import { parseWith } from "../../check/mod.ts";

/** What a file says, in this program's words. */
export interface V13Config extends V13Proxies {
  /** The visor's identity; the caller disposes it. */
  readonly secret: SecretKey;
  /** What belongs into `config.json`; members that the file leaves open are missing. */
  readonly config: Partial<VisorConfig> & { readonly network: NetworkConfig };
  /** Transports to be kept up. */
  readonly transports: readonly WantedTransport[];
  /** Keys that were not understood or have no effect here, such as `dmsgpty` or `launcher.server_addr`; sorted. */
  readonly unsupported: readonly string[];
}

const address = v.pipe(v.string(), v.check((text) => parseAddress(text) !== undefined, "wanted host:port"));
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const server = v.looseObject({ static: publicKeySchema, server: v.looseObject({ address }) });

/** What is used. Addresses of services must be there: v1.3 would fill in those of a network on the internet. */
const schema = v.looseObject({
  sk: v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/, "wanted a secret key of 64 hex digits")),
  pk: v.optional(v.union([publicKeySchema, v.literal("")])),
  dmsg: v.pipe(
    v.looseObject({
      discovery: serviceUrlSchema,
      sessions_count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      servers: v.nullish(v.array(server)),
    }),
    v.forward(
      v.check(
        ({ discovery, servers }) => !isKeyUrl(discovery) || (servers?.length ?? 0) > 0,
        "wanted a server at least, since the discovery is named by its key",
      ),
      ["servers"],
    ),
  ),
  "skywire-tcp": v.nullish(v.looseObject({
    pk_table: v.nullish(addressBookSchema),
    listening_address: v.optional(address),
  })),
  transport: v.looseObject({
    discovery: serviceUrlSchema,
    address_resolver: v.optional(v.union([v.literal(""), serviceUrlSchema])),
    public_autoconnect: v.optional(v.boolean()),
    stcpr_port: v.optional(port),
  }),
  routing: v.looseObject({
    route_setup_nodes: v.pipe(v.array(publicKeySchema), v.minLength(1, "wanted at least one setup node")),
    route_finder: serviceUrlSchema,
  }),
  launcher: v.nullish(v.looseObject({
    apps: v.nullish(v.array(v13AppSchema)),
    service_discovery: v.optional(v.union([v.literal(""), serviceUrlSchema])),
  })),
  uptime_tracker: v.nullish(v.looseObject({ addr: v.optional(v.union([v.literal(""), serviceUrlSchema])) })),
  is_public: v.optional(v.boolean()),
  persistent_transports: v.nullish(
    v.array(v.looseObject({ pk: publicKeySchema, type: v.pipe(v.string(), v.minLength(1)) })),
  ),
});

/** Sections that are used in part. */
const SECTIONS: readonly string[] = ["dmsg", "skywire-tcp", "transport", "routing", "launcher", "uptime_tracker"];

/** Keys that have an effect, or need none. */
const SUPPORTED: ReadonlySet<string> = new Set([
  "version",
  "sk",
  "pk",
  "dmsg.discovery",
  "dmsg.sessions_count",
  "dmsg.servers",
  "skywire-tcp.pk_table",
  "skywire-tcp.listening_address",
  "transport.discovery",
  "transport.address_resolver",
  "transport.public_autoconnect",
  "transport.stcpr_port",
  "routing.route_setup_nodes",
  "routing.route_finder",
  "launcher.apps",
  "launcher.service_discovery",
  "uptime_tracker.addr",
  "is_public",
  "persistent_transports",
]);

/** Values of other keys that ask for what is so anyway. */
const HARMLESS: Readonly<Record<string, unknown>> = { "dmsg.servers_type": "all", "routing.min_hops": 1 };

/**
 * Reads a file.
 * @param text JSON
 * @throws {RefusedError} `config/invalid`, naming each key that is wrong or missing; `config/bad-key` when `pk` does not
 *   belong to `sk`, which v1.3 does not notice
 */
export function parseV13Config(text: string): V13Config {
  const file = parseWith(schema, { text, name: "skywire-config.json" });
  const secret = new SecretKey(parseHex(file.sk));
  if (!isValidSecretKey(secret.expose()) || (file.pk && publicKeyOf(secret) !== file.pk)) {
    secret[Symbol.dispose]();
    throw new RefusedError("config/bad-key", 'Read skywire-config.json: "pk" is not the public key of "sk"');
  }
  const { unsupported, ...proxies } = readV13Apps(file.launcher?.apps ?? []);
  return {
    secret,
    config: configOf(file),
    transports: (file.persistent_transports ?? []).map(({ pk, type }) => ({ remote: pk, type, label: "user" })),
    ...proxies,
    unsupported: [...unsupportedKeys(file), ...unsupported].sort(),
  };
}

function configOf(file: v.InferOutput<typeof schema>): V13Config["config"] {
  const { dmsg, transport, routing, launcher, uptime_tracker: tracker, "skywire-tcp": tcp } = file;
  const listening = parseAddress(tcp?.listening_address ?? "");
  const servers = dmsg.servers ?? [];
  return {
    network: {
      messagingDiscovery: dmsg.discovery,
      transportDiscovery: transport.discovery,
      routeFinder: routing.route_finder,
      ...(transport.address_resolver ? { addressResolver: transport.address_resolver } : {}),
      ...(tracker?.addr ? { uptimeTracker: tracker.addr } : {}),
      ...(launcher?.service_discovery ? { serviceDiscovery: launcher.service_discovery } : {}),
      setupNodes: routing.route_setup_nodes,
      ...(servers.length === 0 ? {} : {
        messagingServers: servers.map((entry) => ({ publicKey: entry.static, address: entry.server.address })),
      }),
    },
    // Without a host it listens everywhere, and the file does not tell by which address others reach this machine.
    ...(listening === undefined ? {} : { host: listening.host || "0.0.0.0" }),
    ports: {
      ...(listening?.port ? { "transport-stcp": listening.port } : {}),
      ...(transport.stcpr_port ? { "transport-stcpr": transport.stcpr_port } : {}),
    },
    ...(transport.public_autoconnect === undefined ? {} : { autoconnect: transport.public_autoconnect }),
    public: file.is_public ?? false,
    ...(tcp?.pk_table ? { addressBook: tcp.pk_table } : {}),
    // Zero means all.
    ...(dmsg.sessions_count === undefined
      ? {}
      : { messagingSessions: Math.min(dmsg.sessions_count || MAX_MESSAGING_SESSIONS, MAX_MESSAGING_SESSIONS) }),
  };
}

function unsupportedKeys(file: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(file).flatMap(([key, value]) => {
    if (!SECTIONS.includes(key) || value === null) return isIgnored(key, value) ? [key] : [];
    const members = Object.entries(value as object);
    return members.filter(([member, leaf]) => isIgnored(`${key}.${member}`, leaf)).map(([member]) =>
      `${key}.${member}`
    );
  });
}

/** Does the key ask for something that does not happen? Null, false, zero and what is empty switch a thing off. */
function isIgnored(path: string, value: unknown): boolean {
  if (SUPPORTED.has(path) || HARMLESS[path] === value) return false;
  // TCP transports are always accepted here.
  if (path === "skywire-tcp") return true;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
