/** Checks public keys as people and files write them. */

import * as v from "valibot";
import type { PublicKey } from "../types/mod.ts";

/** The text form of a public key, in small letters. */
export const PUBLIC_KEY_TEXT: RegExp = /^0[23][0-9a-f]{64}$/;

/** Checks the text form of a public key; whether it lies on the curve, the core tells when it is used. */
export const publicKeySchema: v.GenericSchema<unknown, PublicKey> = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(PUBLIC_KEY_TEXT, "wanted a public key of 66 hex digits"),
) as unknown as v.GenericSchema<unknown, PublicKey>;
