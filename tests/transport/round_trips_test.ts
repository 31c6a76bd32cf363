import assert from "node:assert/strict";
import { RoundTrips } from "../../lib/transport/round_trips.ts";

Deno.test("the settlement's figure stands only until a ping is answered", () => {
  const trips = new RoundTrips();
  assert.equal(trips.ms, undefined);
  trips.restart(25.3);
  assert.equal(trips.ms, 25.3);
  trips.measured(0.6);
  assert.equal(trips.ms, 0.6);
});

Deno.test("one slow answer does not count, a load that lasts does within 9 s", () => {
  const trips = new RoundTrips();
  trips.restart(25.3);
  for (const ms of [9, 0.6, 0.5, 0.7, 0.6]) trips.measured(ms);
  assert.equal(trips.ms, 0.6);
  for (const ms of [40, 41, 42]) trips.measured(ms);
  assert.equal(trips.ms, 40);
});

Deno.test("a new link begins with what is known", () => {
  const trips = new RoundTrips();
  trips.measured(7);
  trips.restart(undefined);
  assert.equal(trips.ms, 7);
  trips.measured(3);
  assert.equal(trips.ms, 3);
});
