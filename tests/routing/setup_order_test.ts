import assert from "node:assert/strict";
import fc from "fast-check";
import { FIRST_REST_MS, LONGEST_REST_MS, SetupOrder } from "../../lib/routing/setup_order.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { createVirtualTime } from "../fakes/mod.ts";

const [A, B, C] = ["a", "b", "c"] as unknown as [PublicKey, PublicKey, PublicKey];
const NODES = [A, B, C];

/** All nodes as one dial would ask them. */
function all(order: SetupOrder): PublicKey[] {
  const asked = new Set<PublicKey>();
  for (let node = order.next(asked); node !== undefined; node = order.next(asked)) asked.add(node);
  return [...asked];
}

Deno.test("SetupOrder begins as the user said", () => {
  assert.deepEqual(all(new SetupOrder(NODES, createVirtualTime().clock)), [A, B, C]);
  assert.equal(new SetupOrder([], createVirtualTime().clock).next(new Set()), undefined);
});

Deno.test("SetupOrder has a node that failed asked last, until one dial may try it after its rest", async () => {
  const time = createVirtualTime();
  const order = new SetupOrder(NODES, time.clock);
  order.failed(A);
  assert.deepEqual(all(order), [B, C, A]);
  await time.run(FIRST_REST_MS);
  assert.equal(order.next(new Set()), A, "its rest is over");
  assert.equal(order.next(new Set()), B, "the others do not wait for how it goes");
  order.failed(A);
  await time.run(2 * FIRST_REST_MS - 1);
  assert.equal(order.next(new Set()), B, "now it rests twice as long");
  await time.run(1);
  assert.equal(order.next(new Set()), A);
  order.succeeded(A, 50);
  assert.deepEqual(all(order), [A, B, C]);
  order.failed(A);
  await time.run(FIRST_REST_MS);
  assert.equal(order.next(new Set()), A, "earlier failures are forgotten");
});

Deno.test("SetupOrder asks the one first that has rested longest when all have failed", async () => {
  const time = createVirtualTime();
  const order = new SetupOrder(NODES, time.clock);
  for (const node of [B, C, A]) {
    order.failed(node);
    await time.run(10);
  }
  assert.deepEqual(all(order), [B, C, A]);
});

Deno.test("SetupOrder prefers nodes that are several times as fast, and forgets after ten minutes", async () => {
  const time = createVirtualTime();
  const order = new SetupOrder(NODES, time.clock);
  order.succeeded(A, 900);
  order.succeeded(B, 600);
  assert.deepEqual(all(order), [A, B, C], "about as fast");
  order.succeeded(C, 40);
  assert.deepEqual(all(order), [C, A, B]);
  for (let i = 0; i < 20; i++) order.succeeded(A, 5_500);
  assert.deepEqual(all(order), [C, B, A]);
  await time.run(600_001);
  assert.deepEqual(all(order), [A, B, C]);
});

Deno.test("SetupOrder gives a node time after what its set-ups took, and little when it failed", async () => {
  const time = createVirtualTime();
  const order = new SetupOrder(NODES, time.clock);
  assert.equal(order.headStartMs(A), 1_000);
  order.succeeded(A, 150);
  assert.equal(order.headStartMs(A), 600);
  order.failed(A);
  assert.equal(order.headStartMs(A), 250);
  order.succeeded(A, 150);
  await time.run(600_001);
  assert.equal(order.headStartMs(A), 1_000, "too long ago");
});

Deno.test("SetupOrder names every node exactly once, whatever happened, and no node rests for ever", async () => {
  const time = createVirtualTime();
  const event = fc.record({ node: fc.constantFrom(...NODES), took: fc.option(fc.nat(20_000)), pause: fc.nat(400_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(event), async (events) => {
      const order = new SetupOrder(NODES, time.clock);
      for (const { node, took, pause } of events) {
        if (took === null) order.failed(node);
        else order.succeeded(node, took);
        await time.run(pause);
        assert.deepEqual(all(order).sort(), NODES);
      }
      for (const node of NODES) order.failed(node);
      await time.run(LONGEST_REST_MS);
      assert.deepEqual(NODES.map(() => order.next(new Set())).sort(), NODES, "each gets its try");
    }),
    { numRuns: 30 },
  );
});
