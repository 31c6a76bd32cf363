/** What a proxy is set up with: kept in the data folder, and the body of the control API's request. */

import * as v from "valibot";
import { makeDestinationRule } from "../../apps/mod.ts";
import { publicKeySchema } from "../../check/mod.ts";
import { parseTransportId, type PathStep, type PublicKey, type TransportId } from "../../types/mod.ts";

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

const destination = v.pipe(
  v.string(),
  v.check((text) => {
    try {
      makeDestinationRule([text]);
      return true;
    } catch {
      return false;
    }
  }, 'wanted "public" or a block of addresses such as 192.168.1.0/24'),
);

const transportIdSchema = v.pipe(
  v.string(),
  v.check((text) => parseTransportId(text) !== undefined, "wanted the id of a transport"),
) as unknown as v.GenericSchema<unknown, TransportId>;

const passcode = v.optional(v.pipe(v.string(), v.minLength(1), v.maxBytes(255, "wanted 255 bytes at most")));

const server = v.strictObject({
  role: v.literal("server"),
  passcode,
  allow: v.array(publicKeySchema),
  destinations: v.array(destination),
});

const client = v.strictObject({
  role: v.literal("client"),
  to: publicKeySchema,
  listen: v.string(),
  path: v.optional(v.pipe(v.array(v.union([transportIdSchema, publicKeySchema])), v.minLength(1))),
  passcode,
});

const stopped = v.optional(v.boolean());

/** Checks one proxy's settings. */
export const proxySettingsSchema: v.GenericSchema<unknown, ProxySettings> = v.variant("role", [
  server,
  client,
]);

/** Checks the data folder's file. */
export const keptProxiesSchema: v.GenericSchema<unknown, KeptProxy[]> = v.array(
  v.variant("role", [
    v.strictObject({ ...server.entries, stopped }),
    v.strictObject({ ...client.entries, stopped }),
  ]),
);
