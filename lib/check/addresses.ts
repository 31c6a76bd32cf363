/** Checks addresses as people and files write them. Tested in tests/network/ticket_test.ts. */

import * as v from "valibot";
import { parseAddress } from "../runtime/mod.ts";

/** Checks `host:port`. */
export const addressSchema: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.check((text) => parseAddress(text) !== undefined, "wanted host:port"),
);
