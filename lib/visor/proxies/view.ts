/** A proxy as users see it. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import type { PublicKey } from "../../types/mod.ts";
import { appStateSchema, type AppView } from "../apps/view.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** A SOCKS5 proxy of this visor: the exit for others, or the local entrance to somebody's exit. */
export interface ProxyView {
  /** The name it is removed by. */
  readonly id: string;
  /** `server`: the exit for others; `client`: the local entrance. */
  readonly role: "server" | "client";
  /** `host:port` of a client's entrance. */
  readonly listen?: string;
  /** The exit's public key, of a client. */
  readonly to?: PublicKey;
  /** Who may use a server; empty: every visor of the network. */
  readonly allow?: readonly PublicKey[];
  /** Where a server goes: `public` and blocks of addresses. */
  readonly destinations?: readonly string[];
  /** Does a server ask for a passcode? */
  readonly wantsPasscode?: boolean;
  /** Of the app that does the work. */
  readonly state: AppView["state"];
}

/** Describes a {@link ProxyView}. */
export const proxySchema: v.GenericSchema<ProxyView> = viewSchema<ProxyView>()(v.object({
  id: v.string(),
  role: v.picklist(["server", "client"]),
  listen: v.exactOptional(v.string()),
  to: v.exactOptional(wholeKey),
  allow: v.exactOptional(v.array(wholeKey)),
  destinations: v.exactOptional(v.array(v.string())),
  wantsPasscode: v.exactOptional(v.boolean()),
  state: appStateSchema,
}));
