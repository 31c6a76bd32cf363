/** The WASM module itself: it has no imports, and its committed digest is its own. */

import assert from "node:assert/strict";
import { sha256 } from "../../lib/core/mod.ts";

const folder = new URL("../../lib/core/", import.meta.url);

Deno.test("skywire_core.wasm imports nothing, so that what it does depends on its arguments alone", async () => {
  const module = await WebAssembly.compile(await Deno.readFile(new URL("skywire_core.wasm", folder)));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

Deno.test("skywire_core.wasm has the digest that is committed beside it", async () => {
  const [digest] = (await Deno.readTextFile(new URL("skywire_core.wasm.sha256", folder))).split(" ");
  assert.equal(sha256(await Deno.readFile(new URL("skywire_core.wasm", folder))).toHex(), digest);
});
