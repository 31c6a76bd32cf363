import assert from "node:assert/strict";
import { UsedLegs } from "../../../lib/routing/session/used_legs.ts";

Deno.test("A number is used once, in whatever order numbers come", () => {
  const used = new UsedLegs();
  for (const number of [3, 0, 2]) assert.ok(used.add(number));
  for (const number of [0, 2, 3]) assert.ok(used.has(number) && !used.add(number));
  assert.ok(!used.has(1) && used.add(1));
});

Deno.test("Of 256 numbers and more the lowest are forgotten, and count as used", () => {
  const used = new UsedLegs();
  for (let number = 10; number < 10 + 256; number++) assert.ok(used.add(number));
  assert.ok(!used.has(9), "nothing was forgotten yet");
  assert.ok(used.add(1_000));
  assert.ok(used.has(9) && !used.add(9) && used.has(10));
  assert.ok(!used.has(500) && used.add(500));
});
