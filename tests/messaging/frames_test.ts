import assert from "node:assert/strict";
import fc from "fast-check";
import { hasCode } from "../../lib/errors/mod.ts";
import { makeFrame, readFrame } from "../../lib/messaging/frames.ts";
import { linkOf } from "./support.ts";

Deno.test("readFrame() reads what makeFrame() wrote, however it is cut, and nothing behind it", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 1, max: 7 }),
    async (body, behind, step) => {
      const link = linkOf([...makeFrame(body), ...behind], step);
      assert.deepEqual(await readFrame(link, 65_535), new Uint8Array(body));
      const rest = new Uint8Array(32);
      let count = 0;
      for (let n = await link.read(rest); n !== null; n = await link.read(rest.subarray(count))) count += n;
      assert.deepEqual(rest.subarray(0, count), new Uint8Array(behind));
    },
  ));
});

Deno.test("readFrame() refuses a length beyond the limit without reading on", async () => {
  const link = linkOf([0x0f, 0xff, 1, 2, 3]);
  await assert.rejects(readFrame(link, 4_094), (error) => hasCode(error, "messaging/frame-length"));
  assert.equal(await link.read(new Uint8Array(10)), 3);
});

Deno.test("readFrame() tells the end before a frame from the end inside one", async () => {
  assert.equal(await readFrame(linkOf([]), 10), undefined);
  for (const bytes of [[0], [0, 2], [0, 2, 1]]) {
    await assert.rejects(readFrame(linkOf(bytes), 10), (error) => hasCode(error, "messaging/cut-frame"));
  }
  assert.equal((await readFrame(linkOf([0, 0]), 10))?.length, 0);
});

Deno.test("makeFrame() refuses what no length of 16 bits can say", () => {
  assert.throws(() => makeFrame(new Uint8Array(65_536)), RangeError);
});
