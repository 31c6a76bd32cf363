/**
 * Keys and paths as people write them in a request, and as answers have them.
 * Tested in tests/visor/control/api_test.ts.
 */

import * as v from "valibot";
import { isKeyText, publicKeySchema, WANTED_KEY } from "../../check/mod.ts";
import { parseTransportId, type PublicKey, type TransportId } from "../../types/mod.ts";

/** A public key that may be short, or a name of one. */
export const keyText: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(isKeyText, WANTED_KEY),
  v.description("A public key, its first 8 digits or more, or a name"),
);

/** A whole public key. */
export const wholeKey: v.GenericSchema<PublicKey> = publicKeySchema as v.GenericSchema<PublicKey>;

/** The id of a transport. */
export const transportIdSchema: v.GenericSchema<TransportId> = v.pipe(
  v.string(),
  v.check((text) => parseTransportId(text) !== undefined, "wanted the id of a transport"),
) as unknown as v.GenericSchema<TransportId>;

/** A path whose visors may be short, or named. */
export const pathSteps: v.GenericSchema<string[]> = v.pipe(
  v.array(v.union([transportIdSchema, keyText], "wanted public keys, names, or ids of transports")),
  v.minLength(1),
);
