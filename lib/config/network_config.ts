/** Where the control plane of a network is: what a visor must know to take part. */

import { z } from "zod";
import { parseAddress } from "../runtime/mod.ts";
import type { PublicKey } from "../types/mod.ts";

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
  /** Setup nodes whose rules are accepted, in the order in which they are asked. */
  readonly setupNodes: readonly PublicKey[];
  /** The way to a messaging discovery that is named by its key. */
  readonly messagingServers?: readonly KnownMessagingServer[] | undefined;
}

/** What follows a key in a URL that looks like one of the web. */
const KEY_DOMAIN = ".sky";

const KEY = /^0[23][0-9a-f]{64}$/;

/** Checks the text form of a public key; whether it lies on the curve, the core tells when it is used. */
export const publicKeySchema: z.ZodType<PublicKey> = z.string().toLowerCase().regex(
  KEY,
  "wanted a public key of 66 hex digits",
) as unknown as z.ZodType<PublicKey>;

/** Checks the base URL of a service. */
export const serviceUrlSchema: z.ZodType<string> = z.string()
  .refine(isServiceUrl, "wanted a URL: http://host:port, https://…, or dmsg://PK:80")
  .transform((text) => text.replace(/\/+$/, ""));

/** Checks a network configuration as it stands in a file or ticket. */
export const networkConfigSchema: z.ZodType<NetworkConfig> = z.strictObject({
  messagingDiscovery: serviceUrlSchema,
  transportDiscovery: serviceUrlSchema,
  routeFinder: serviceUrlSchema.optional(),
  addressResolver: serviceUrlSchema.optional(),
  setupNodes: z.array(publicKeySchema).min(1, "wanted at least one setup node"),
  messagingServers: z.array(z.strictObject({
    publicKey: publicKeySchema,
    address: z.string().refine((text) => parseAddress(text) !== undefined, "wanted host:port"),
  })).optional(),
}).refine((network) => !isKeyUrl(network.messagingDiscovery) || (network.messagingServers?.length ?? 0) > 0, {
  path: ["messagingServers"],
  error: "wanted a messaging server at least, since the messaging discovery is named by its key",
});

/** Is it a URL that names a public key? */
export function isKeyUrl(text: string): boolean {
  const { protocol, hostname = "" } = URL.parse(text) ?? {};
  return protocol === "dmsg:" || (protocol === "http:" && hostname.endsWith(KEY_DOMAIN));
}

function isServiceUrl(text: string): boolean {
  const { protocol = "", hostname = "" } = URL.parse(text) ?? {};
  if (!isKeyUrl(text)) return protocol === "http:" || protocol === "https:";
  return KEY.test(hostname.toLowerCase().replace(KEY_DOMAIN, ""));
}
