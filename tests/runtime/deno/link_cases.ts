/** What every kind of TCP link must do. */

import assert from "node:assert/strict";
import type { ByteLink } from "../../../lib/runtime/mod.ts";

/** Bytes pass both ways, and a write that is larger than the sockets' buffers arrives whole. */
export async function carriesBytes(a: ByteLink, b: ByteLink): Promise<void> {
  const sent = new Uint8Array(8 << 20).map((_, i) => i * 7);
  const writing = a.write(sent);
  const got = new Uint8Array(sent.length);
  for (let at = 0; at < got.length;) at += await b.read(got.subarray(at)) ?? assert.fail("ended");
  await writing;
  assert.deepEqual(got, sent);
  await b.write(new Uint8Array([1, 2, 3]));
  assert.equal(await a.read(new Uint8Array(10)), 3);
}
