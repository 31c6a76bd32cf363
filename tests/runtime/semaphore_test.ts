/** Bounded places, first come first served. */

import assert from "node:assert/strict";
import { Semaphore } from "../../lib/runtime/mod.ts";
import { at } from "../../lib/types/at.ts";

const never = new AbortController().signal;

/** Lets everything run that can run without waiting. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

Deno.test("Semaphore lets so many pass at a time, in the order of asking", async () => {
  const turns = new Semaphore(2);
  const entered: number[] = [];
  const leave: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((n) =>
    turns.run(() => {
      entered.push(n);
      return new Promise<void>((resolve) => leave[n] = resolve);
    }, never)
  );
  await settle();
  assert.deepEqual(entered, [0, 1]);
  at(leave, 1)();
  await settle();
  assert.deepEqual(entered, [0, 1, 2]);
  at(leave, 0)();
  at(leave, 2)();
  await settle();
  at(leave, 3)();
  await Promise.all(all);
  assert.deepEqual(entered, [0, 1, 2, 3]);
});

Deno.test("Semaphore forgets who gave up waiting, and loses no place by it", async () => {
  const turns = new Semaphore(1);
  const first = Promise.withResolvers<void>();
  const holding = turns.run(() => first.promise, never);
  const enough = new AbortController();
  const waiting = assert.rejects(turns.run(() => Promise.reject(new Error("must not run")), enough.signal), /enough/);
  await settle();
  enough.abort(new Error("enough"));
  await waiting;
  first.resolve();
  await holding;
  assert.equal(await turns.run(() => Promise.resolve("next"), never), "next");
});

Deno.test("Semaphore frees the place of work that failed", async () => {
  const turns = new Semaphore(1);
  await assert.rejects(turns.run(() => Promise.reject(new Error("broken")), never), /broken/);
  assert.equal(await turns.run(() => Promise.resolve(1), never), 1);
});
