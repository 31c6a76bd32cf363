/** Whatever is written and however it is read: all bytes come, in order, with the borders of v1.3's records. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_RECORD_PLAINTEXT_BYTES } from "../../lib/core/mod.ts";
import type { RouteConnection } from "../../lib/routing/route_connection.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import { createSimulation } from "../fakes/mod.ts";
import { makeLine } from "./line.ts";
import { at } from "../../lib/types/at.ts";

const hops = fc.integer({ min: 1, max: 3 });
const size = fc.oneof(
  fc.nat({ max: 64 }),
  fc.integer({ min: MAX_RECORD_PLAINTEXT_BYTES - 1, max: MAX_RECORD_PLAINTEXT_BYTES + 1 }),
  fc.nat({ max: 30_000 }),
);
const sizes = fc.array(size, { maxLength: 20 });

/** Bytes that tell where they belong. */
function numbered(length: number, from: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251);
}

/** The records that writes become: each cut after 4070 bytes. */
function records(writes: readonly Uint8Array[]): number[] {
  return writes.flatMap(({ length }) =>
    Array.from(
      { length: Math.ceil(length / MAX_RECORD_PLAINTEXT_BYTES) },
      (_, i) => Math.min(MAX_RECORD_PLAINTEXT_BYTES, length - i * MAX_RECORD_PLAINTEXT_BYTES),
    )
  );
}

async function writeAll(connection: RouteConnection, writes: readonly Uint8Array[]): Promise<void> {
  for (const bytes of writes) await connection.write(bytes);
  connection.close();
}

Deno.test("RouteConnection.readable gives the records of any writes", async () => {
  await fc.assert(
    fc.asyncProperty(hops, sizes, async (hops, sizes) => {
      const sim = createSimulation({ seed: 1 });
      await using line = await makeLine(sim, hops);
      const [a, b] = await line.connect();
      const writes = sizes.map((size, i) => numbered(size, i));
      const chunks = await sim.run(async () => {
        const writing = writeAll(a, writes);
        const chunks: Uint8Array[] = [];
        for await (const chunk of b.readable) chunks.push(chunk);
        await writing;
        return chunks;
      });
      assert.deepEqual(chunks.map((chunk) => chunk.length), records(writes));
      assert.deepEqual(concatBytes(...chunks), concatBytes(...writes));
    }),
    { numRuns: 40 },
  );
});

Deno.test("RouteConnection.read() gives all bytes of any writes, whatever room it has", async () => {
  const room = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(hops, sizes, room, async (hops, sizes, room) => {
      const sim = createSimulation({ seed: 1 });
      await using line = await makeLine(sim, hops);
      const [a, b] = await line.connect();
      const writes = sizes.map((size, i) => numbered(size, i));
      const received = await sim.run(async () => {
        const writing = writeAll(b, writes);
        const parts: Uint8Array[] = [];
        for (let i = 0;; i++) {
          const into = new Uint8Array(at(room, i % room.length));
          const length = await a.read(into);
          if (length === null) break;
          parts.push(into.subarray(0, length));
        }
        await writing;
        return concatBytes(...parts);
      });
      assert.deepEqual(received, concatBytes(...writes));
    }),
    { numRuns: 40 },
  );
});
