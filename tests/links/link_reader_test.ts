/** One link read by several consumers in turn, and the buffers that grow with it. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { LinkReader } from "../../lib/links/link_reader.ts";
import { BufferPool, ReadBuffer } from "../../lib/links/read_buffer.ts";

/** A link that gives these pieces, one a read, and then its end. */
function linkOf(...pieces: string[]): { readonly reads: number; read(into: Uint8Array): Promise<number | null> } {
  let reads = 0;
  return {
    get reads(): number {
      return reads;
    },
    read(into): Promise<number | null> {
      const piece = pieces[reads++];
      if (piece === undefined) return Promise.resolve(null);
      const bytes = new TextEncoder().encode(piece);
      into.set(bytes);
      return Promise.resolve(bytes.length);
    },
  };
}

const text = (bytes: Uint8Array | null): string | null => bytes === null ? null : new TextDecoder().decode(bytes);

Deno.test("whole messages come out of any split, and what is beyond stays", async () => {
  const reader = new LinkReader(linkOf("ab", "c", "defg"));
  assert.equal(text(await reader.exactly(4)), "abcd");
  assert.equal(text(reader.unread), "efg");
  assert.equal(text(reader.take(1)), "e");
  assert.equal(text(await reader.peek()), "fg");
  reader.skip(2);
  assert.equal(await reader.peek(), null);
  assert.equal(await reader.peek(), null);
});

Deno.test("fill() adds to what is unread, and leaves that as it was", async () => {
  const reader = new LinkReader(linkOf("ab", "cd", "ef"));
  await reader.fill();
  await reader.fill();
  reader.skip(1);
  await reader.fill();
  assert.equal(text(reader.unread), "bcdef");
  await assert.rejects(reader.fill(), (error) => hasCode(error, "transport/peer-left"));
  assert.equal(text(reader.unread), "bcdef");
});

Deno.test("a stream that ends inside a message is told by the error that the caller makes", async () => {
  const reader = new LinkReader(linkOf("ab"));
  await assert.rejects(reader.exactly(3, () => new Error("cut")), /cut/);
  await assert.rejects(new LinkReader(linkOf()).exactly(1), (error) => hasCode(error, "transport/peer-left"));
});

Deno.test("consumers that wait for the same read share it; nothing is read twice or lost", async () => {
  const link = linkOf("ab", "cd");
  const reader = new LinkReader(link);
  const both = await Promise.all([reader.peek(), reader.peek()]);
  assert.deepEqual(both.map(text), ["ab", "ab"]);
  assert.equal(link.reads, 1);
  reader.putBack(new TextEncoder().encode("x"));
  assert.equal(text(await reader.exactly(5)), "xabcd");
});

Deno.test("read() gives first what was read already, and then reads the link itself", async () => {
  const reader = new LinkReader(linkOf("abc", "de"));
  await reader.peek();
  const into = new Uint8Array(2);
  assert.equal(await reader.read(into), 2);
  assert.equal(text(into), "ab");
  assert.equal(await reader.read(into), 1);
  assert.equal(text(into.subarray(0, 1)), "c");
  assert.equal(await reader.read(into), 2);
  assert.equal(text(into), "de");
  assert.equal(await reader.read(into), null);
});

Deno.test("a read buffer is large after a read that filled it, and small again after a read of little", () => {
  const buffer = new ReadBuffer({ largeBytes: 20_000 });
  const first = buffer.space;
  assert.equal(first.length, 4_096);
  assert.equal(buffer.taken(100).length, 100);
  assert.equal(buffer.space, first);
  assert.equal(buffer.taken(4_096).length, 4_096);
  const large = buffer.space;
  assert.equal(large.length, 20_000);
  buffer.taken(4_000);
  assert.equal(buffer.space, large);
  buffer.taken(10);
  assert.equal(buffer.space.length, 4_096);
});

Deno.test("a large buffer of a pool is lent to one loop at a time, and not while its bytes are in use", () => {
  const pool = new BufferPool();
  const [one, other] = [new ReadBuffer({ pool }), new ReadBuffer({ pool })];
  one.taken(one.space.length);
  const large = one.space;
  assert.equal(large.length, 256 * 1024);
  one.taken(10);
  other.taken(other.space.length);
  assert.notEqual(other.space, large);
  assert.equal(one.space.length, 4_096);
  assert.equal(pool.acquire(), large);
});
