/** The state of a visor as users see it. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import type { PublicKey } from "../../types/mod.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";

/** One thing that a visor checks about itself. */
export interface StatusCheck {
  /** What was checked; a stable word such as `messaging` or `route-finder`. */
  readonly name: string;
  /** `ok`; `degraded`: it works, but not as it should; `failed`: what depends on it does not work. */
  readonly state: "ok" | "degraded" | "failed";
  /** Since when this is so, ISO 8601. */
  readonly since: string;
  /** What was found, in words, such as `connected to 2 servers`. */
  readonly detail: string;
  /** What to do about it, in words; absent when nothing needs to be done. */
  readonly remedy?: string;
}

/** The state of a visor. */
export interface VisorStatus {
  /** The key of the visor. */
  readonly publicKey: PublicKey;
  /** The version of this program, `major.minor.patch`. */
  readonly version: string;
  /** How long the visor has run, s; may have a fraction. */
  readonly uptimeSeconds: number;
  /** True when no check has failed. */
  readonly healthy: boolean;
  /** One check for each part and service that the visor depends on. */
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
