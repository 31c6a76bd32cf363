import assert from "node:assert/strict";
import { LinkHistory } from "../../lib/transport/link_history.ts";
import { type MonotonicMs, monotonicMs } from "../../lib/types/mod.ts";

const seconds = (count: number): MonotonicMs => monotonicMs(count * 1000);

Deno.test("LinkHistory counts the losses of the last hour", () => {
  const history = new LinkHistory();
  assert.equal(history.resetsPerHour(seconds(0)), 0);
  history.noteLoss(seconds(10));
  history.noteLoss(seconds(1_800));
  assert.equal(history.resetsPerHour(seconds(3_600)), 2);
  assert.equal(history.resetsPerHour(seconds(3_611)), 1);
  assert.equal(history.resetsPerHour(seconds(5_401)), 0);
});

Deno.test("LinkHistory remembers so many losses only", () => {
  const history = new LinkHistory();
  for (let i = 0; i < 5_000; i++) history.noteLoss(seconds(i / 10));
  assert.equal(history.resetsPerHour(seconds(500)), 1_200);
});

Deno.test("LinkHistory tells the most that went through in either direction, for half an hour at least", () => {
  const history = new LinkHistory();
  const note = (at: number, sentMegabytes: number, receivedMegabytes: number): void =>
    history.noteTraffic({ sentBytes: sentMegabytes * 1e6, receivedBytes: receivedMegabytes * 1e6 }, seconds(at));
  note(0, 0, 1_000);
  assert.equal(history.throughputMBps, undefined, "what went through before is not known to have taken any time");
  note(5, 50, 1_100);
  assert.equal(history.throughputMBps, 20);
  note(10, 60, 1_101);
  assert.equal(history.throughputMBps, 20);
  note(1_800, 60, 1_101);
  assert.equal(history.throughputMBps, 20);
  note(3_700, 60, 1_101);
  assert.equal(history.throughputMBps, undefined);
});

Deno.test("LinkHistory says nothing of a throughput that nobody asked more of", () => {
  const history = new LinkHistory();
  history.noteTraffic({ sentBytes: 0, receivedBytes: 0 }, seconds(0));
  history.noteTraffic({ sentBytes: 4e6, receivedBytes: 0 }, seconds(5));
  assert.equal(history.throughputMBps, undefined);
});
