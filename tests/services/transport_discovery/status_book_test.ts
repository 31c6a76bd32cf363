import assert from "node:assert/strict";
import fc from "fast-check";
import {
  EXPIRE_MS,
  FRESH_MS,
  type MergedStatus,
  StatusBook,
} from "../../../lib/services/transport_discovery/status_book.ts";
import { transportIdOf } from "../../../lib/types/mod.ts";
import type { EdgeStatus, TransportFigures } from "../../../lib/wire/transport_status.ts";

const ID = transportIdOf(new Uint8Array(16).fill(1));

function makeBook(): StatusBook {
  return new StatusBook({ expireMs: EXPIRE_MS });
}

/** What one edge says, and when. */
function say(book: StatusBook, edge: 0 | 1, isWorking: boolean, now: number, more: TransportFigures = {}): boolean {
  return book.report({ id: ID, isWorking, lastsMs: 10, ...more }, { edge, now });
}

Deno.test("StatusBook knows nothing of what nobody reported", () => {
  assert.deepEqual(makeBook().merged(ID, 0), { status: "unknown" });
});

/** Who says what when, and what it comes to at a time. Times in seconds. */
const MERGES: readonly (readonly [
  what: string,
  said: readonly (readonly [at: number, edge: 0 | 1, isWorking: boolean])[],
  at: number,
  merged: MergedStatus["status"],
])[] = [
  ["one edge says that it works", [[0, 0, true]], 1, "working"],
  ["both edges say so", [[0, 0, true], [1, 1, true]], 2, "working"],
  ["one edge says that it does not work, whatever the other says", [[0, 0, true], [1, 1, false]], 2, "not-working"],
  ["the one that said it does not work says that it does", [[0, 0, true], [1, 1, false], [2, 1, true]], 3, "working"],
  [
    "an edge that was killed counts no more when the other says that it does not work",
    [[0, 0, true], [1, 1, false]],
    100,
    "not-working",
  ],
  ["an edge has fallen silent, and the other says that it works", [[0, 0, true], [80, 1, true]], 100, "working"],
  [
    "an edge said long ago that it does not work, and the other says now that it does",
    [[0, 0, false], [80, 1, true]],
    100,
    "working",
  ],
  ["both have fallen silent after saying that it works", [[0, 0, true], [1, 1, true]], 100, "unknown"],
  [
    "both have fallen silent, and the last word was that it does not work",
    [[0, 0, true], [1, 1, false]],
    150,
    "not-working",
  ],
  ["both have fallen silent, and the last word was that it works", [[0, 0, false], [1, 1, true]], 150, "unknown"],
];

for (const [what, said, at, expected] of MERGES) {
  Deno.test(`StatusBook.merged() is ${expected} when ${what}`, () => {
    const book = makeBook();
    for (const [time, edge, isWorking] of said) say(book, edge, isWorking, time * 1000);
    assert.equal(book.merged(ID, at * 1000).status, expected);
  });
}

Deno.test("StatusBook.merged() tells since when both see it work, or since when one does not", () => {
  const book = makeBook();
  say(book, 0, true, 1_000);
  say(book, 1, true, 2_000);
  assert.equal(book.merged(ID, 2_000).since, 1_990);
  say(book, 0, false, 3_000);
  say(book, 1, false, 4_000);
  assert.equal(book.merged(ID, 4_000).since, 2_990);
});

Deno.test("StatusBook.merged() takes the mean latency, and the larger of other figures", () => {
  const book = makeBook();
  say(book, 0, true, 0, { latencyMs: 10, throughputMBps: 5, resetsPerHour: 1 });
  say(book, 1, true, 0, { latencyMs: 20, resetsPerHour: 3 });
  assert.deepEqual(book.merged(ID, 0), {
    status: "working",
    since: -10,
    latencyMs: 15,
    throughputMBps: 5,
    resetsPerHour: 3,
  });
});

Deno.test("StatusBook.report() finds changes of status and large ones of figures worth telling, others not", () => {
  const book = makeBook();
  assert.equal(say(book, 0, true, 0, { latencyMs: 100 }), true);
  assert.equal(say(book, 0, true, 1, { latencyMs: 120 }), false);
  assert.equal(say(book, 0, true, 2, { latencyMs: 140 }), true, "40 % more than what was told");
  assert.equal(say(book, 1, true, 3, { latencyMs: 140 }), false);
  assert.equal(say(book, 1, true, 4, { latencyMs: 140, throughputMBps: 1 }), true);
  assert.equal(say(book, 1, false, 5, { latencyMs: 140, throughputMBps: 1 }), true);
  assert.equal(say(book, 0, false, 6, { latencyMs: 140 }), false);
});

Deno.test("StatusBook.sweep() finds what has become unknown, once, and then what has expired", () => {
  const book = makeBook();
  say(book, 0, true, 0);
  assert.deepEqual(book.sweep(FRESH_MS - 1), { changed: [], expired: [] });
  assert.deepEqual(book.sweep(FRESH_MS), { changed: [ID], expired: [] });
  assert.deepEqual(book.sweep(FRESH_MS + 1), { changed: [], expired: [] });
  assert.deepEqual(book.sweep(EXPIRE_MS - 1), { changed: [], expired: [] });
  assert.deepEqual(book.sweep(EXPIRE_MS), { changed: [], expired: [ID] });
  book.forget(ID);
  assert.deepEqual(book.sweep(10 * EXPIRE_MS), { changed: [], expired: [] });
  assert.ok(book.isEmpty);
});

Deno.test("StatusBook lets what is registered again live on, and what was reported before a restart expire", () => {
  const book = makeBook();
  book.resume(ID, 0);
  assert.equal(book.merged(ID, 0).status, "unknown");
  book.refresh(ID, EXPIRE_MS - 1);
  assert.deepEqual(book.sweep(EXPIRE_MS).expired, []);
  assert.deepEqual(book.sweep(2 * EXPIRE_MS).expired, [ID]);
});

Deno.test("StatusBook does not take up what was only registered: that never expires", () => {
  const book = makeBook();
  book.refresh(ID, 0);
  assert.ok(book.isEmpty);
});

Deno.test("whoever is told of changes by StatusBook knows the merged status at every sweep", () => {
  const step = fc.record({
    afterMs: fc.nat(70_000),
    edge: fc.constantFrom(0 as const, 1 as const),
    isWorking: fc.option(fc.boolean()),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const book = new StatusBook({ expireMs: Infinity });
    let now = 0, known: MergedStatus["status"] = "unknown";
    const status = (isWorking: boolean): EdgeStatus => ({ id: ID, isWorking, lastsMs: 0 });
    for (const { afterMs, edge, isWorking } of steps) {
      now += afterMs;
      const isTold = isWorking === null
        ? book.sweep(now).changed.length > 0
        : book.report(status(isWorking), { edge, now });
      if (isTold) known = book.merged(ID, now).status;
      assert.equal(known, book.merged(ID, now).status);
    }
  }));
});
