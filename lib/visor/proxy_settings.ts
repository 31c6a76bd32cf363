/** What a proxy is set up with: kept in the data folder, and the body of the control API's request. */

import { z } from "zod";
import { makeDestinationRule } from "../apps/mod.ts";
import { publicKeySchema } from "../config/mod.ts";
import { parseTransportId, type PathStep, type PublicKey, type TransportId } from "../types/mod.ts";

/** Lets others leave through this visor. There is one at most, since there is one port 3. */
export interface ProxyServerSettings {
  /** Tells the two apart. */
  readonly role: "server";
  /** Clients must know it. */
  readonly passcode?: string | undefined;
  /** Who may connect; empty: everybody. */
  readonly allow: readonly PublicKey[];
  /** `public` and CIDRs. */
  readonly destinations: readonly string[];
}

/** Opens a local SOCKS5 address whose exit is another visor. */
export interface ProxyClientSettings {
  /** Tells the two apart. */
  readonly role: "client";
  /** The visor that runs the exit. */
  readonly to: PublicKey;
  /** `host:port` */
  readonly listen: string;
  /** The visors or transports to go over, the one to the exit last. */
  readonly path?: readonly PathStep[] | undefined;
  /** What the exit wants to hear. */
  readonly passcode?: string | undefined;
}

/** Either role. */
export type ProxySettings = ProxyServerSettings | ProxyClientSettings;

/** As the data folder keeps it: one that was stopped stays so over restarts. */
export type KeptProxy = ProxySettings & { readonly stopped?: boolean | undefined };

const destination = z.string().refine(
  (text) => {
    try {
      makeDestinationRule([text]);
      return true;
    } catch {
      return false;
    }
  },
  'wanted "public" or a block of addresses such as 192.168.1.0/24',
);

const transportIdSchema = z.string().refine(
  (text) => parseTransportId(text) !== undefined,
  "wanted the id of a transport",
) as unknown as z.ZodType<TransportId>;

const passcode = z.string().min(1).refine(
  (text) => new TextEncoder().encode(text).length <= 255,
  "wanted 255 bytes at most",
).optional();

const server = z.strictObject({
  role: z.literal("server"),
  passcode,
  allow: z.array(publicKeySchema),
  destinations: z.array(destination),
});

const client = z.strictObject({
  role: z.literal("client"),
  to: publicKeySchema,
  listen: z.string(),
  path: z.array(z.union([transportIdSchema, publicKeySchema])).min(1).optional(),
  passcode,
});

const stopped = z.boolean().optional();

/** Checks one proxy's settings. */
export const proxySettingsSchema: z.ZodType<ProxySettings> = z.discriminatedUnion("role", [server, client]);

/** Checks the data folder's file. */
export const keptProxiesSchema: z.ZodType<KeptProxy[]> = z.array(
  z.discriminatedUnion("role", [server.extend({ stopped }), client.extend({ stopped })]),
);
