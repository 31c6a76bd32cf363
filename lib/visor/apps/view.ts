/** An app as users see it. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { viewSchema } from "../control/operation.ts";

/** An app of this visor. */
export interface AppView {
  /** The name by which it is started and stopped. */
  readonly name: string;
  /** The port of the visor on which it listens, 1–65535. */
  readonly port: number;
  /** What it does at this moment. `failed`: it ended with an error and will run again. */
  readonly state: "starting" | "running" | "stopped" | "failed";
  /** Since when it is in that state, ISO 8601. */
  readonly since: string;
  /** How often it ran again after a failure. */
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
