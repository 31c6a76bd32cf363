import assert from "node:assert/strict";
import { HeldStreams } from "../../lib/messaging/held_streams.ts";
import { monotonicMs } from "../../lib/types/mod.ts";

function make(most: number): { held: HeldStreams; at(ms: number): void; dropped: () => number } {
  let now = 0, dropped = 0;
  const held = new HeldStreams({
    clock: { monotonic: () => monotonicMs(now) },
    most,
    dropped: { add: () => void dropped++ },
  });
  return { held, at: (ms) => void (now = ms), dropped: () => dropped };
}

Deno.test("HeldStreams drops the stream that was held up longest when there are too many", () => {
  const { held, dropped } = make(3);
  const gone: number[] = [];
  const releases = [0, 1, 2].map((i) => held.hold(() => gone.push(i)));
  releases[0]?.();
  held.hold(() => gone.push(3));
  assert.equal(gone.length, 0);
  held.hold(() => gone.push(4));
  assert.deepEqual([gone, held.size, dropped()], [[1], 3, 1]);
  releases[1]?.();
  assert.equal(held.size, 3, "what was dropped is not released once more");
});

Deno.test("HeldStreams lets a quarter of them be held up for long, and no more", () => {
  const { held, at } = make(8);
  const gone: number[] = [];
  for (let i = 0; i < 4; i++) held.hold(() => gone.push(i));
  at(10_000);
  held.hold(() => gone.push(4));
  assert.equal(gone.length, 0);
  at(10_001);
  held.hold(() => gone.push(5));
  assert.deepEqual([gone, held.size], [[0, 1, 2, 3], 2]);
});
