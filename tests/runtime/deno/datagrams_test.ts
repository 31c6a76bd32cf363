/** Datagrams over the real loopback. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { bindDatagrams } from "../../../lib/runtime/deno/datagrams.ts";

Deno.test("bindDatagrams() gives each datagram whole, with the address that it came from", async () => {
  const [a, b] = [await bindDatagrams("127.0.0.1:0"), await bindDatagrams("127.0.0.1:0")];
  a.send(Uint8Array.of(1, 2, 3), b.address);
  for await (const { bytes, from } of b) {
    assert.deepEqual([[...bytes], from], [[1, 2, 3], a.address]);
    break;
  }
  await assert.rejects(bindDatagrams(a.address), (error) => hasCode(error, "network/address-in-use"));
  for (const socket of [a, b, a]) socket.close();
  a.send(Uint8Array.of(1), b.address);
  for await (const _ of a) assert.fail("closed sockets give nothing");
});
