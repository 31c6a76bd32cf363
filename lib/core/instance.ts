/**
 * The one importer of the WASM module. The import is static: the type checker sees the exports, no permission is
 * needed, and a compiled program embeds the module. Tested in `tests/core/module_test.ts`.
 */

import * as wasm from "./skywire_core.wasm";
import { BugError } from "../errors/mod.ts";
import { ABI_VERSION } from "./layout.ts";

const version = wasm.abi_version();
if (version !== ABI_VERSION) {
  throw new BugError("core/version", `Load the core: its interface is version ${version}, wanted ${ABI_VERSION}`);
}

/** The exports of the core. Only `lib/core` calls them. */
export const core: typeof wasm = wasm;
