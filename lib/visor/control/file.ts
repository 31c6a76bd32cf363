/** The file that leads commands to the control API. Tested in tests/cli/control_client_test.ts. */

import * as v from "valibot";

/** The file in the data folder that tells commands where the visor's control API is. */
export const CONTROL_FILE = "control.json";

/** What {@link CONTROL_FILE} holds. */
export interface ControlFile {
  /** Base URL of the control API. */
  readonly url: string;
  /** What a request must carry as bearer token. */
  readonly token: string;
  /** Whose visor it is; absent in files of older programs. */
  readonly publicKey?: string | undefined;
}

/** Checks the control file. */
export const controlFileSchema: v.GenericSchema<unknown, ControlFile> = v.looseObject({
  url: v.pipe(v.string(), v.url()),
  token: v.pipe(v.string(), v.minLength(16)),
  publicKey: v.optional(v.string()),
});
