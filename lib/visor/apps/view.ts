/** An app as users see it. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { viewSchema } from "../control/operation.ts";

/** An app of this visor. */
export interface AppView {
  /** The name it is started and stopped by. */
  readonly name: string;
  /** Its port of the visor, 1–65535. */
  readonly port: number;
  /** `failed`: it ended with an error, and will be run again. */
  readonly state: "starting" | "running" | "stopped" | "failed";
  /** ISO 8601: since when it has been in that state. */
  readonly since: string;
  /** How often it was run again after a failure. */
  readonly restarts: number;
}

/** Describes the state of an app. */
export const appStateSchema: v.GenericSchema<AppView["state"]> = v.picklist([
  "starting",
  "running",
  "stopped",
  "failed",
]);

/** Describes an {@link AppView}. */
export const appSchema: v.GenericSchema<AppView> = viewSchema<AppView>()(v.object({
  name: v.string(),
  port: v.number(),
  state: appStateSchema,
  since: v.string(),
  restarts: v.number(),
}));
