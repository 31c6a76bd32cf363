import assert from "node:assert/strict";
import fc from "fast-check";
import { ReplayWindow } from "../../lib/messaging/replay_window.ts";
import { monotonicMs } from "../../lib/types/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";

const SECOND = 1_000_000_000n;
const alice = "02aa" as PublicKey;

Deno.test("ReplayWindow admits each request once, in any order within a minute", () => {
  const window = new ReplayWindow();
  const now = monotonicMs(0);
  const admit = (seconds: bigint): boolean =>
    window.admit({ source: alice, timestamp: seconds * SECOND, hash: `at ${seconds}` }, now);
  assert.equal(admit(100n), true);
  assert.equal(admit(100n), false);
  assert.equal(admit(50n), true, "late, but within the window");
  assert.equal(admit(130n), true);
  assert.equal(admit(50n), false, "too old by now, and seen");
  assert.equal(admit(70n), false, "too old by now, though never seen");
  assert.equal(admit(71n), true);
});

Deno.test("ReplayWindow keeps sources apart", () => {
  const window = new ReplayWindow();
  const request = { timestamp: 100n * SECOND, hash: "h" };
  assert.equal(window.admit({ ...request, source: alice }, monotonicMs(0)), true);
  assert.equal(window.admit({ ...request, source: "02bb" as PublicKey }, monotonicMs(0)), true);
});

Deno.test("ReplayWindow lets a source in again ten minutes after its clock was set back", () => {
  const window = new ReplayWindow();
  const old = { source: alice, timestamp: 1_000n * SECOND, hash: "old" };
  assert.equal(window.admit({ source: alice, timestamp: 9_000n * SECOND, hash: "new" }, monotonicMs(0)), true);
  assert.equal(window.admit(old, monotonicMs(1_000)), false);
  assert.equal(window.admit(old, monotonicMs(600_001)), true);
});

Deno.test("ReplayWindow never admits a request twice, however many come", () => {
  fc.assert(fc.property(
    fc.array(fc.record({ source: fc.constantFrom("02aa", "02bb"), second: fc.integer({ min: 1, max: 200 }) }), {
      maxLength: 300,
    }),
    (requests) => {
      const window = new ReplayWindow();
      const admitted = new Set<string>();
      for (const { source, second } of requests) {
        const hash = `${source}/${second}`;
        const request = { source: source as PublicKey, timestamp: BigInt(second) * SECOND, hash };
        if (window.admit(request, monotonicMs(0))) {
          assert.ok(!admitted.has(hash));
          admitted.add(hash);
        }
      }
    },
  ));
});

Deno.test("ReplayWindow shortens the window of a source that sends very much, and still refuses replays", () => {
  const window = new ReplayWindow();
  const request = (n: number): { source: PublicKey; timestamp: bigint; hash: string } => ({
    source: alice,
    timestamp: 100n * SECOND + BigInt(n),
    hash: String(n),
  });
  // More than all sources together are remembered for.
  for (let n = 0; n < 20_000; n++) assert.equal(window.admit(request(n), monotonicMs(0)), true);
  for (let n = 0; n < 20_000; n++) assert.equal(window.admit(request(n), monotonicMs(0)), false);
});

Deno.test("ReplayWindow remembers 16,384 requests in all, and forgets first the source that is silent longest", () => {
  const window = new ReplayWindow();
  const sourceOf = (n: number): PublicKey => `02${n.toString(16).padStart(64, "0")}` as PublicKey;
  const admit = (n: number): boolean =>
    window.admit({ source: sourceOf(n), timestamp: 100n * SECOND, hash: String(n) }, monotonicMs(n));
  for (let n = 0; n < 16_384; n++) assert.equal(admit(n), true);
  assert.equal(window.admit({ source: sourceOf(0), timestamp: 100n * SECOND, hash: "0" }, monotonicMs(0)), false);
  // The refused request made its source the latest one; the next to go is source 1.
  assert.equal(admit(16_384), true);
  assert.equal(window.admit({ source: sourceOf(1), timestamp: 100n * SECOND, hash: "1" }, monotonicMs(0)), true);
  assert.equal(window.admit({ source: sourceOf(3), timestamp: 100n * SECOND, hash: "3" }, monotonicMs(0)), false);
});
