// deno-lint-ignore-file no-console -- a task talks to a person

/**
 * Builds the Rust core again and compares it, byte for byte, with the committed artefact. So with the numbers of its
 * boundary.
 *
 *     deno task core:check
 */

import { buildCore, CORE_DIGEST, CORE_WASM, digestOf } from "./core_artefact.ts";
import { renderLayout } from "./core_layout.ts";

for (const { url, text } of await renderLayout()) {
  if (await Deno.readTextFile(url) === text) continue;
  console.error(`Check the core: ${url} is not what core-rs/abi/layout.json makes of it; run "deno task core:build"`);
  Deno.exit(1);
}
const committed = await digestOf(await Deno.readFile(CORE_WASM));
const noted = (await Deno.readTextFile(CORE_DIGEST)).split(" ")[0];
const built = await digestOf(await buildCore());
if (committed !== noted || committed !== built) {
  console.error(
    `Check the core: the artefact is ${committed}, its digest file says ${noted}, a build from the sources gives ${built}; ` +
      `run "deno task core:build" and commit what it writes`,
  );
  Deno.exit(1);
}
console.log(`The core is what its sources give: SHA-256 ${built}`);
