import assert from "node:assert/strict";
import { at } from "../../lib/types/at.ts";

Deno.test("at() gives elements of lists, typed arrays and texts, from either end", () => {
  assert.equal(at(["a", "b"], 0), "a");
  assert.equal(at(["a", "b"], -1), "b");
  assert.equal(at(new Uint8Array([7, 0]), 1), 0);
  assert.equal(at("ab", 1), "b");
});

Deno.test("at() throws where there is no element", () => {
  for (const index of [2, -3, 0.5]) assert.throws(() => at(["a", "b"], index), RangeError);
  assert.throws(() => at([undefined], 0), RangeError);
});
