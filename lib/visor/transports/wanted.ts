/**
 * The transports that the visor keeps up, in the data folder's `transports.json`.
 * Tested in tests/visor/transports/part_test.ts.
 */

import * as v from "valibot";
import { publicKeySchema } from "../../check/mod.ts";
import type { Storage } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { KeptDocument } from "../kept_document.ts";

/** A transport that the visor keeps up. */
export interface WantedTransport {
  readonly remote: PublicKey;
  readonly type: string;
  /** `host:port` for types that go by address book. */
  readonly address?: string | undefined;
  readonly label: string;
}

const wantedTransportsSchema: v.GenericSchema<unknown, readonly WantedTransport[]> = v.array(v.looseObject({
  remote: publicKeySchema,
  type: v.pipe(v.string(), v.minLength(1)),
  address: v.optional(v.string()),
  label: v.string(),
}));

/** The document, not loaded yet. */
export function wantedTransports(storage: Storage): KeptDocument<readonly WantedTransport[]> {
  return new KeptDocument({ storage, name: "transports.json", schema: wantedTransportsSchema, empty: [] });
}
