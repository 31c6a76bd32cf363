/**
 * Where the control plane of a network is: what a visor must know to take part. Tested in tests/network/ticket_test.ts.
 */

import * as v from "valibot";
import { addressSchema, PUBLIC_KEY_TEXT, publicKeySchema } from "../check/mod.ts";
import type { PublicKey } from "../types/mod.ts";
import { keyTextOf } from "../wire/key_url.ts";

/** A messaging server that is known without asking anybody. */
export interface KnownMessagingServer {
  /** Whose key it proves to own. */
  readonly publicKey: PublicKey;
  /** `host:port` */
  readonly address: string;
}

/**
 * The control plane of one network. A base URL names a host, `http://host:port` or `https://…`, or a public key that is
 * reached over messaging: `dmsg://<key>:<port>`, or `http://<key>.sky:<port>`; the port is 80 unless named.
 */
export interface NetworkConfig {
  /** Base URL of the messaging discovery. */
  readonly messagingDiscovery: string;
  /** Base URL of the transport discovery. */
  readonly transportDiscovery: string;
  /** Base URL of the route finder; absent: the network has none, and visors find routes themselves. */
  readonly routeFinder?: string | undefined;
  /** Base URL of the address resolver; absent: the network has none, and public visors are not found by their key. */
  readonly addressResolver?: string | undefined;
  /** Base URL of an uptime tracker of v1.3; absent: nobody is told how long visors are up. */
  readonly uptimeTracker?: string | undefined;
  /** Base URL of a service discovery of v1.3; absent: public visors are those that the address resolver lists. */
  readonly serviceDiscovery?: string | undefined;
  /** Setup nodes whose rules are accepted, in the order in which they are asked. */
  readonly setupNodes: readonly PublicKey[];
  /** The way to a messaging discovery that is named by its key. */
  readonly messagingServers?: readonly KnownMessagingServer[] | undefined;
  /** Of a network on loopback: the mark of its machine, 8 hex digits, see `loopback.ts`. */
  readonly machine?: string | undefined;
}

/** Checks the base URL of a service. */
export const serviceUrlSchema: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.check(isServiceUrl, "wanted a URL: http://host:port, https://…, or dmsg://PK:80"),
  v.transform((text) => text.replace(/\/+$/, "")),
);

/** Checks a network configuration as it stands in a file or ticket. Members that a later version wrote are kept. */
export const networkConfigSchema: v.GenericSchema<unknown, NetworkConfig> = v.pipe(
  v.looseObject({
    messagingDiscovery: serviceUrlSchema,
    transportDiscovery: serviceUrlSchema,
    routeFinder: v.optional(serviceUrlSchema),
    addressResolver: v.optional(serviceUrlSchema),
    uptimeTracker: v.optional(serviceUrlSchema),
    serviceDiscovery: v.optional(serviceUrlSchema),
    setupNodes: v.pipe(v.array(publicKeySchema), v.minLength(1, "wanted at least one setup node")),
    machine: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, "wanted 8 hex digits"))),
    messagingServers: v.optional(v.array(v.strictObject({ publicKey: publicKeySchema, address: addressSchema }))),
  }),
  v.forward(
    v.check(
      (network) => !isKeyUrl(network.messagingDiscovery) || (network.messagingServers?.length ?? 0) > 0,
      "wanted a messaging server at least, since the messaging discovery is named by its key",
    ),
    ["messagingServers"],
  ),
);

/** Is it a URL that names a public key? */
export function isKeyUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && keyTextOf(url) !== undefined;
}

function isServiceUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  const key = keyTextOf(url);
  return key === undefined
    ? url.protocol === "http:" || url.protocol === "https:"
    : PUBLIC_KEY_TEXT.test(key.toLowerCase());
}
