/** Clock, timers, randomness. */

import assert from "node:assert/strict";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { sleep } from "../../../lib/runtime/mod.ts";

Deno.test("wallNanos() never gives the same value twice, and stays with the wall clock", () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  let last = runtime.clock.wallNanos();
  for (let i = 0; i < 10_000; i++) {
    const next = runtime.clock.wallNanos();
    assert.ok(next > last);
    last = next;
  }
  assert.ok(Math.abs(Number(last / 1_000_000n) - runtime.clock.wallMs()) < 1_000);
});

Deno.test("timers fire in order, and not after they were cancelled", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const fired: string[] = [];
  runtime.timers.after(2, () => fired.push("second"));
  runtime.timers.after(0, () => fired.push("first"));
  runtime.timers.after(1, () => fired.push("never"))();
  await sleep(runtime.timers, 4);
  assert.deepEqual(fired, ["first", "second"]);
});

Deno.test("random bytes come in any length", () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  assert.equal(runtime.random.bytes(0).length, 0);
  const many = runtime.random.bytes(200_000);
  assert.ok(many.subarray(150_000).some((byte) => byte !== 0));
});

Deno.test("logSink takes the lines in place of stderr", () => {
  const events: string[] = [];
  using runtime = createDenoRuntime({ logLevel: "debug", logSink: (line) => events.push(line.event) });
  runtime.log.trace("a");
  runtime.log.debug("b");
  assert.deepEqual(events, ["b"]);
});
