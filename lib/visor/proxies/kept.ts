/** The proxies that the visor runs, in the data folder's `proxies.json`. Tested in tests/visor/proxies/part_test.ts. */

import * as v from "valibot";
import type { Storage } from "../../runtime/mod.ts";
import { KeptDocument } from "../kept_document.ts";
import { clientMembers, type ProxySettings, serverMembers } from "./settings.ts";

/** A proxy in the data folder. One that the user stopped stays stopped over restarts. */
export type KeptProxy = ProxySettings & { readonly stopped?: boolean | undefined };

const stopped = v.optional(v.boolean());

const keptProxiesSchema: v.GenericSchema<unknown, readonly KeptProxy[]> = v.array(
  v.variant("role", [
    v.looseObject({ ...serverMembers, stopped }),
    v.looseObject({ ...clientMembers, stopped }),
  ]),
);

/** The document, not loaded yet. */
export function keptProxies(storage: Storage): KeptDocument<readonly KeptProxy[]> {
  return new KeptDocument({ storage, name: "proxies.json", schema: keptProxiesSchema, empty: [] });
}
