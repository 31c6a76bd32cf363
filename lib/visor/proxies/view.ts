/** A proxy as users see it. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import type { PublicKey } from "../../types/mod.ts";
import { appStateSchema, type AppView } from "../apps/view.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** A SOCKS5 proxy of this visor: an exit for others, or a local entrance to the exit of another visor. */
export interface ProxyView {
  /** The id by which it is removed. */
  readonly id: string;
  /** `server`: an exit for others; `client`: a local entrance. */
  readonly role: "server" | "client";
  /** Where a client listens, `host:port`; absent for a server. */
  readonly listen?: string;
  /** The key of a client's exit; absent for a server. */
  readonly to?: PublicKey;
  /** Routes that a client keeps on standby; absent: none. */
  readonly standby?: number;
  /** Routes that a client uses at a time; absent: one. */
  readonly routes?: number;
  /** Does a client stay on its route while that works? Absent: no. */
  readonly pin?: boolean;
  /** The visors that may use a server; empty: all visors of the network. Absent for a client. */
  readonly allow?: readonly PublicKey[];
  /** The addresses that a server connects to: `public` and CIDR blocks. Absent for a client. */
  readonly destinations?: readonly string[];
  /** Does a server ask for a passcode? Absent for a client. */
  readonly wantsPasscode?: boolean;
  /** The state of the app that does the work. */
  readonly state: AppView["state"];
}

/** Describes a {@link ProxyView}. */
export const proxySchema: v.GenericSchema<ProxyView> = viewSchema<ProxyView>()(v.object({
  id: v.string(),
  role: v.picklist(["server", "client"]),
  listen: v.exactOptional(v.string()),
  to: v.exactOptional(wholeKey),
  standby: v.exactOptional(v.number()),
  routes: v.exactOptional(v.number()),
  pin: v.exactOptional(v.boolean()),
  allow: v.exactOptional(v.array(wholeKey)),
  destinations: v.exactOptional(v.array(v.string())),
  wantsPasscode: v.exactOptional(v.boolean()),
  state: appStateSchema,
}));
