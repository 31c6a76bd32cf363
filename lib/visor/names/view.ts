/** A name as users see it. Tested in tests/visor/names/part_test.ts. */

import * as v from "valibot";
import type { PublicKey } from "../../types/mod.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** A name for a key. */
export interface NameView {
  /** 1–63 small letters, digits and `-`. */
  readonly name: string;
  /** The key that it stands for. */
  readonly publicKey: PublicKey;
  /** Where it comes from: the user, or an invite that the user opened. */
  readonly from: "user" | "invite";
}

/** Describes a {@link NameView}. */
export const nameSchema: v.GenericSchema<NameView> = viewSchema<NameView>()(v.object({
  name: v.string(),
  publicKey: wholeKey,
  from: v.picklist(["user", "invite"]),
}));
