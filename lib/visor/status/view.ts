/** The state of a visor as users see it. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import type { PublicKey } from "../../types/mod.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** One thing that a visor checks about itself. */
export interface StatusCheck {
  /** A word that stays the same, such as `messaging` or `route-finder`. */
  readonly name: string;
  /** `degraded`: it works, but not as it should; `failed`: what depends on it does not work. */
  readonly state: "ok" | "degraded" | "failed";
  /** ISO 8601: since when it has been so. */
  readonly since: string;
  /** What was found, for people: `connected to 2 servers`. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** The state of a visor. */
export interface VisorStatus {
  /** Whose state it is. */
  readonly publicKey: PublicKey;
  /** Of this program, `major.minor.patch`. */
  readonly version: string;
  /** Since the visor was started; a fraction is possible. */
  readonly uptimeSeconds: number;
  /** No check has failed. */
  readonly healthy: boolean;
  /** One for each part and service that the visor depends on. */
  readonly checks: readonly StatusCheck[];
}

/** Describes a {@link StatusCheck}. */
export const statusCheckSchema: v.GenericSchema<StatusCheck> = viewSchema<StatusCheck>()(v.object({
  name: v.string(),
  state: v.picklist(["ok", "degraded", "failed"]),
  since: v.string(),
  detail: v.string(),
  remedy: v.exactOptional(v.string()),
}));

/** Describes a {@link VisorStatus}. */
export const statusSchema: v.GenericSchema<VisorStatus> = viewSchema<VisorStatus>()(v.object({
  publicKey: wholeKey,
  version: v.string(),
  uptimeSeconds: v.number(),
  healthy: v.boolean(),
  checks: v.array(statusCheckSchema),
}));
