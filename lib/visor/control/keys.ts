/** Keys and paths as people write them in a request, and as answers have them. */

import * as v from "valibot";
import { publicKeySchema } from "../../check/mod.ts";
import { parseTransportId, type PublicKey, type TransportId } from "../../types/mod.ts";

/** A public key that may be short. */
export const keyText: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8,66}$/, "wanted a public key, or its first 8 digits or more"),
);

/** A path whose visors may be short. */
export const pathSteps: v.GenericSchema<string[]> = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[0-9a-f-]{8,66}$/, "wanted public keys or ids of transports"))),
  v.minLength(1),
);

/** A whole public key. */
export const wholeKey: v.GenericSchema<PublicKey> = publicKeySchema as v.GenericSchema<PublicKey>;

/** The id of a transport. */
export const transportIdSchema: v.GenericSchema<TransportId> = v.pipe(
  v.string(),
  v.check((text) => parseTransportId(text) !== undefined, "wanted the id of a transport"),
) as unknown as v.GenericSchema<TransportId>;
