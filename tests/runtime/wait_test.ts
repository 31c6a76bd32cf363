/** Waiting functions over a hand-driven timer. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import {
  Backoff,
  createQueue,
  formatAddress,
  parseAddress,
  sleep,
  untilAborted,
  withTimeout,
} from "../../lib/runtime/mod.ts";
import type { Random, Timers } from "../../lib/runtime/mod.ts";

/** Timers that fire when told to, and how many are set. */
function makeHandTimers(): Timers & { fire(): void; readonly pending: number } {
  const set = new Set<() => void>();
  return {
    after(_ms, callback): () => void {
      const once = (): void => callback();
      set.add(once);
      return () => void set.delete(once);
    },
    fire(): void {
      const due = [...set];
      set.clear();
      for (const callback of due) callback();
    },
    get pending(): number {
      return set.size;
    },
  };
}

Deno.test("sleep() ends when its timer fires, and leaves no timer when aborted", async () => {
  const timers = makeHandTimers();
  const slept = sleep(timers, 5);
  timers.fire();
  await slept;

  const controller = new AbortController();
  const aborted = sleep(timers, 5, controller.signal);
  controller.abort(new Error("stop"));
  await assert.rejects(aborted, /stop/);
  await assert.rejects(sleep(timers, 5, controller.signal), /stop/);
  assert.equal(timers.pending, 0);
});

Deno.test("withTimeout() gives the result of work that ends in time", async () => {
  const timers = makeHandTimers();
  assert.equal(await withTimeout(() => Promise.resolve(7), { timers, ms: 1, code: "a/b", message: "Wait" }), 7);
  await assert.rejects(
    withTimeout(() => Promise.reject(new Error("own")), { timers, ms: 1, code: "a/b", message: "Wait" }),
    /own/,
  );
  assert.equal(timers.pending, 0);
});

Deno.test("withTimeout() aborts the work when time is up, and discards what it gives later", async () => {
  const timers = makeHandTimers();
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  let seen: AbortSignal | undefined;
  const waiting = withTimeout((signal) => {
    seen = signal;
    return promise;
  }, { timers, ms: 10, code: "area/timeout", message: "Wait for it", discard: (value) => late.push(value) });
  timers.fire();
  await assert.rejects(waiting, (error) => hasCode(error, "area/timeout"));
  assert.equal(seen?.aborted, true);
  resolve("late");
  await promise;
  assert.deepEqual(late, ["late"]);
});

Deno.test("withTimeout() rejects with the reason of an outer signal", async () => {
  const timers = makeHandTimers();
  const controller = new AbortController();
  const waiting = withTimeout(() => new Promise(() => {}), {
    timers,
    ms: 1,
    code: "a/b",
    message: "Wait",
    signal: controller.signal,
  });
  controller.abort(new Error("outer"));
  await assert.rejects(waiting, /outer/);
  assert.equal(timers.pending, 0);
});

Deno.test("untilAborted() gives the value, or the reason of the signal", async () => {
  const controller = new AbortController();
  assert.equal(await untilAborted(Promise.resolve(1), undefined), 1);
  assert.equal(await untilAborted(Promise.resolve(2), controller.signal), 2);
  const waiting = untilAborted(new Promise(() => {}), controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});

Deno.test("Backoff grows to its limit, stays in the upper half of each step, and starts again after reset()", () => {
  for (const byte of [0, 128, 255]) {
    const random: Random = { bytes: (length) => new Uint8Array(length).fill(byte) };
    const backoff = new Backoff({ random, firstMs: 200, maxMs: 3_000 });
    for (const step of [200, 400, 800, 1_600, 3_000, 3_000]) {
      const delay = backoff.nextMs();
      assert.ok(delay >= step / 2 && delay < step || delay === step / 2, `${delay} of ${step}`);
    }
    backoff.reset();
    assert.ok(backoff.nextMs() <= 200);
  }
});

Deno.test("createQueue() hands over in order, refuses beyond its capacity, and ends after close()", async () => {
  const queue = createQueue<number>(2);
  assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [true, true, false]);
  const taken: number[] = [];
  const consumer = (async () => {
    for await (const item of queue) taken.push(item);
  })();
  await Promise.resolve();
  await Promise.resolve();
  queue.close();
  await consumer;
  assert.deepEqual(taken, [1, 2]);
  assert.equal(queue.push(4), false);
});

Deno.test("parseAddress() and formatAddress() agree, brackets included", () => {
  for (const text of ["127.0.0.1:80", "[::1]:65535", "example.org:0", ":7777"]) {
    const parsed = parseAddress(text);
    assert.ok(parsed);
    assert.equal(formatAddress(parsed.host, parsed.port), text);
  }
  for (const text of ["", "127.0.0.1", "host:", "host:65536", "::1:80", "a b:1", "[::1]", "http://a:1", "host:-1"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});
