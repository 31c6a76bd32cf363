/** What a proxy is set up with. Tested in tests/visor/data_folder_test.ts. */

import * as v from "valibot";
import { makeDestinationRule } from "../../apps/mod.ts";
import { publicKeySchema } from "../../check/mod.ts";
import type { PathStep, PublicKey } from "../../types/mod.ts";
import { transportIdSchema } from "../control/keys.ts";
import type { KeyBook } from "../key_book.ts";

/** The settings of an exit: other visors reach the internet through this one. A visor has one at most, on its port 3. */
export interface ProxyServerSettings {
  /** Which of the two roles it has. */
  readonly role: "server";
  /** The passcode that clients must send, 1–255 bytes of UTF-8. Absent: none. */
  readonly passcode?: string | undefined;
  /** The visors that may connect; empty: all. */
  readonly allow: readonly PublicKey[];
  /** The addresses that it connects to: `public` and CIDR blocks such as `192.168.1.0/24`. */
  readonly destinations: readonly string[];
}

/** The settings of a local SOCKS5 address whose exit is another visor. */
export interface ProxyClientSettings {
  /** Which of the two roles it has. */
  readonly role: "client";
  /** The visor that runs the exit. */
  readonly to: PublicKey;
  /** Where it listens, `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** The visors or transports to take, in order, up to the exit. Absent: any route. */
  readonly path?: readonly PathStep[] | undefined;
  /** The passcode of the exit, 1–255 bytes of UTF-8. Absent: none. */
  readonly passcode?: string | undefined;
  /** Routes over other visors that are kept set up until one in use fails, 0 to 3; absent: 0. Not with `path`. */
  readonly standby?: number | undefined;
  /** Routes that carry bytes at a time, 1 to 4; absent: 1. Not with `path`. */
  readonly routes?: number | undefined;
  /** Stays on its route while that works, however much better another one is. Absent: no. */
  readonly pin?: boolean | undefined;
}

/** The settings of a proxy, server or client. */
export type ProxySettings = ProxyServerSettings | ProxyClientSettings;

/** The same as people and programs ask for it: visors are public keys, their first 8 digits or more, or names. */
export type ProxyRequest =
  | Omit<ProxyServerSettings, "allow"> & { readonly allow: readonly string[] }
  | Omit<ProxyClientSettings, "to" | "path"> & { readonly to: string; readonly path?: readonly string[] | undefined };

/** Completes the keys of a request. @throws {RefusedError} as {@link KeyBook.complete} */
export async function withWholeKeys(request: ProxyRequest, keys: KeyBook): Promise<ProxySettings> {
  if (request.role === "server") return { ...request, allow: await keys.completeAll(request.allow) };
  const { to, path, ...rest } = request;
  return {
    ...rest,
    to: await keys.complete(to),
    ...(path && { path: await keys.completePath(path) }),
  };
}

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

const numberIn = (least: number, most: number) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most)));

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
  standby: numberIn(0, 3),
  routes: numberIn(1, 4),
  pin: v.optional(v.boolean()),
};
