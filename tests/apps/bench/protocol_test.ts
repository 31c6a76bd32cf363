import assert from "node:assert/strict";
import { readExactly, sendBlocks, takeBlocks } from "../../../lib/apps/bench/protocol.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { linkPair } from "../../fakes/link_pair.ts";

const code = (expected: string) => (error: unknown): boolean => (error as { code?: string }).code === expected;

simulationTest("takeBlocks() counts what sendBlocks() sent, up to the end", async (sim) => {
  const { clock, network } = sim.runtimeFor("a");
  const listener = await sim.runtimeFor("b").network.listen("b:1");
  const [near, { value: far }] = await sim.run(
    Promise.all([network.dial("b:1"), listener[Symbol.asyncIterator]().next()]),
  );
  const [sent, received] = await sim.run(
    Promise.all([sendBlocks(near, { durationMs: 50, clock }), takeBlocks(far)]),
  );
  assert.ok(sent > 0);
  assert.equal(received, sent);
  near.close();
  listener.close();
});

Deno.test("takeBlocks() takes blocks however they are cut", async () => {
  const [near, far] = linkPair();
  const taking = takeBlocks(far);
  for (const byte of [0, 0, 0, 2, 7, 7, 0, 0, 0, 1, 9, 0, 0, 0, 0]) await near.write(new Uint8Array([byte]));
  assert.equal(await taking, 3);
});

Deno.test("takeBlocks() refuses a block that is too large", async () => {
  const [near, far] = linkPair();
  await near.write(new Uint8Array([0, 16, 0, 1]));
  await assert.rejects(takeBlocks(far), code("bench/block"));
});

Deno.test("takeBlocks() and readExactly() say so when the other end leaves early", async () => {
  for (const read of [takeBlocks, (link: Parameters<typeof takeBlocks>[0]) => readExactly(link, 8)]) {
    const [near, far] = linkPair();
    await near.write(new Uint8Array([0, 0, 0, 2, 7]));
    near.close();
    await assert.rejects(Promise.resolve(read(far)), code("bench/cut"));
  }
});
