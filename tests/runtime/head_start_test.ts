import assert from "node:assert/strict";
import { headStartOf, nextMean } from "../../lib/runtime/mod.ts";

Deno.test("headStartOf() follows what was measured, within bounds", () => {
  assert.equal(headStartOf(200), 800);
  assert.equal(headStartOf(1), 250);
  assert.equal(headStartOf(60_000), 2_500);
  assert.equal(headStartOf(undefined), 1_000);
  assert.deepEqual(
    [1, 200, 60_000, undefined].map((ms) => headStartOf(ms, { leastMs: 10, mostMs: 500, unmeasuredMs: 70 })),
    [10, 500, 500, 70],
  );
});

Deno.test("nextMean() begins with the first measurement, and follows a change within some further ones", () => {
  let mean = nextMean(undefined, 100);
  assert.equal(mean, 100);
  mean = nextMean(mean, 1_000);
  assert.ok(mean > 100 && mean < 500, "one slow answer says little");
  for (let i = 0; i < 10; i++) mean = nextMean(mean, 1_000);
  assert.ok(mean > 900);
});
