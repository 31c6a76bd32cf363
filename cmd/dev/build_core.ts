// deno-lint-ignore-file no-console -- a task talks to a person

/**
 * Writes the numbers of the core's boundary for both its sides, builds the Rust core into `lib/core/skywire_core.wasm`, and
 * writes its SHA-256 and the tool versions beside it. The build does not depend on the folder it runs in: paths are
 * remapped, the toolchain is pinned (design.md §10).
 *
 *     deno task core:build
 */

import { buildCore, CORE_DIGEST, CORE_VERSIONS, CORE_WASM, digestOf, toolVersions } from "./core_artefact.ts";
import { renderLayout } from "./core_layout.ts";

for (const { url, text } of await renderLayout()) await Deno.writeTextFile(url, text);
const wasm = await buildCore();
await Deno.writeFile(CORE_WASM, wasm);
await Deno.writeTextFile(CORE_DIGEST, `${await digestOf(wasm)}  skywire_core.wasm\n`);
await Deno.writeTextFile(CORE_VERSIONS, await toolVersions());
console.log(`${CORE_WASM.pathname.split("/").at(-1)}: ${wasm.length} bytes, SHA-256 ${await digestOf(wasm)}`);
