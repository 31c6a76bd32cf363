/** Where the control plane of a network is: what a visor must know to take part. */

import { z } from "zod";
import type { PublicKey } from "../types/mod.ts";

/** The control plane of one network. */
export interface NetworkConfig {
  /** Base URL of the messaging discovery. */
  readonly messagingDiscovery: string;
  /** Base URL of the transport discovery. */
  readonly transportDiscovery: string;
  /** Base URL of the route finder. */
  readonly routeFinder: string;
  /** Base URL of the address resolver; absent: the network has none, and public visors are not found by their key. */
  readonly addressResolver?: string | undefined;
  /** Setup nodes whose rules are accepted, in the order in which they are asked. */
  readonly setupNodes: readonly PublicKey[];
}

const KEY = /^0[23][0-9a-f]{64}$/;

/** Checks the text form of a public key; whether it lies on the curve, the core tells when it is used. */
export const publicKeySchema: z.ZodType<PublicKey> = z.string().toLowerCase().regex(
  KEY,
  "wanted a public key of 66 hex digits",
) as unknown as z.ZodType<PublicKey>;

const url = z.url({ protocol: /^https?$/, error: "wanted an http:// or https:// URL" })
  .transform((text) => text.replace(/\/+$/, ""));

/** Checks a network configuration as it stands in a file or ticket. */
export const networkConfigSchema: z.ZodType<NetworkConfig> = z.strictObject({
  messagingDiscovery: url,
  transportDiscovery: url,
  routeFinder: url,
  addressResolver: url.optional(),
  setupNodes: z.array(publicKeySchema).min(1, "wanted at least one setup node"),
});
