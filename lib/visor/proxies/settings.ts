/** What a proxy is set up with. Tested in tests/visor/data_folder_test.ts. */

import * as v from "valibot";
import { makeDestinationRule } from "../../apps/mod.ts";
import { publicKeySchema } from "../../check/mod.ts";
import type { PathStep, PublicKey } from "../../types/mod.ts";
import { transportIdSchema } from "../control/keys.ts";

/** Lets others leave through this visor. There is one at most, since there is one port 3. */
export interface ProxyServerSettings {
  /** Which of the two it is. */
  readonly role: "server";
  /** What clients must send. Absent: nothing. */
  readonly passcode?: string | undefined;
  /** Who may connect; empty: everybody. */
  readonly allow: readonly PublicKey[];
  /** `public` and CIDRs. */
  readonly destinations: readonly string[];
}

/** Opens a local SOCKS5 address whose exit is another visor. */
export interface ProxyClientSettings {
  /** Which of the two it is. */
  readonly role: "client";
  /** The visor that runs the exit. */
  readonly to: PublicKey;
  /** `host:port` */
  readonly listen: string;
  /** The visors or transports to go over, the one to the exit last. */
  readonly path?: readonly PathStep[] | undefined;
  /** The passcode of the exit. */
  readonly passcode?: string | undefined;
}

/** Either role. */
export type ProxySettings = ProxyServerSettings | ProxyClientSettings;

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

const passcode = v.optional(v.pipe(v.string(), v.minLength(1), v.maxBytes(255, "wanted 255 bytes at most")));

/** The members of a server, by their checks. */
export const serverMembers = {
  role: v.literal("server"),
  passcode,
  allow: v.array(publicKeySchema),
  destinations: v.array(destination),
};

/** The members of a client, by their checks. */
export const clientMembers = {
  role: v.literal("client"),
  to: publicKeySchema,
  listen: v.string(),
  path: v.optional(v.pipe(v.array(v.union([transportIdSchema, publicKeySchema])), v.minLength(1))),
  passcode,
};
