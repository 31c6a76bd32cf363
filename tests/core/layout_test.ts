/** Both sides of the core's boundary are made of one list, and the module was built of that. */

import assert from "node:assert/strict";
import { readLayout, renderLayout } from "../../cmd/dev/core_layout.ts";
import { core } from "../../lib/core/instance.ts";
import * as layout from "../../lib/core/layout.ts";

Deno.test("layout.rs and layout.ts are what core-rs/abi/layout.json makes of them", async () => {
  for (const { url, text } of await renderLayout()) {
    assert.equal(await Deno.readTextFile(url), text, `${url}: run "deno task core:build"`);
  }
});

Deno.test("each name of the layout is there once, and each fault has a number of its own, below 0", async () => {
  const { sections } = await readLayout();
  const numbers = sections.flatMap((section) => section.numbers);
  const names = [...numbers.map(({ name }) => name), ...sections.flatMap(({ lists }) => lists.map(({ name }) => name))];
  assert.equal(new Set(names).size, names.length);
  const faults = numbers.filter(({ name }) => name.startsWith("FAULT_")).map(({ value }) => value);
  assert.equal(new Set(faults).size, faults.length);
  assert.ok(faults.every((fault) => fault < 0));
  for (const { name, words } of sections.flatMap(({ lists }) => lists)) {
    assert.equal(new Set(words).size, words.length, name);
  }
});

Deno.test("the module answers with the numbers of the layout", () => {
  assert.equal(core.abi_version(), layout.ABI_VERSION);
  assert.equal(core.switch_drop(0), layout.FAULT_BAD_HANDLE);
  assert.equal(core.noise_drop(0), layout.FAULT_BAD_HANDLE);
  const handle = core.switch_new(1, 0) >>> 0;
  assert.equal(core.switch_link_stats(handle, 7), layout.FAULT_BAD_ARGUMENT);
  assert.equal(core.switch_write(handle, 7, 0, 0), layout.FAULT_GROUP_NOT_OPEN);
  assert.equal(core.switch_counters(handle), layout.COUNTERS.length * 8);
  core.switch_drop(handle);
});
