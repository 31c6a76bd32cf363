/** SOCKS5 messages, in any split and with any content, and the reader below them. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { LinkReader } from "../../../lib/links/link_reader.ts";
import { HandshakeWatch } from "../../../lib/apps/socks/local_answer.ts";
import { readCredentials, readGreeting, readRequest } from "../../../lib/apps/socks/protocol.ts";
import { hasCode, SkywireError } from "../../../lib/errors/mod.ts";
import { concatBytes } from "../../../lib/types/mod.ts";

/** Gives the bytes in the given portions, and then the end. */
function readerOf(bytes: Uint8Array, portions: readonly number[] = [bytes.length]): LinkReader {
  let at = 0, turn = 0;
  return new LinkReader({
    read(into): Promise<number | null> {
      const portion = portions[turn++ % portions.length] ?? 1;
      const part = bytes.subarray(at, at + Math.max(1, Math.min(portion, into.length)));
      into.set(part);
      at += part.length;
      return Promise.resolve(part.length === 0 ? null : part.length);
    },
  });
}

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(text.replaceAll(" ", ""));
const portions = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });

Deno.test("a whole handshake is read, cut anywhere, and what follows stays", async () => {
  const bytes = hex(
    "05 02 00 02" + "01 01 61 02 6263" + "05 01 00 03 03 612e62 01bb" + "05 01 00 01 7f000001 0050" +
      "05 03 00 04 20010db8000000000000000000000001 ffff" + "beef",
  );
  await fc.assert(fc.asyncProperty(portions, async (cut) => {
    const reader = readerOf(bytes, cut);
    assert.deepEqual([...await readGreeting(reader)], [0, 2]);
    assert.deepEqual(await readCredentials(reader), { user: hex("61"), password: hex("6263") });
    assert.deepEqual(await readRequest(reader), { command: 1, host: "a.b", port: 443 });
    assert.deepEqual(await readRequest(reader), { command: 1, host: "127.0.0.1", port: 80 });
    assert.deepEqual(await readRequest(reader), { command: 3, host: "2001:db8:0:0:0:0:0:1", port: 65_535 });
    assert.equal((await reader.exactly(2)).toHex(), "beef");
  }));
});

Deno.test("readers throw an error with a code and nothing else, whatever the bytes are", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), portions, async (bytes, cut) => {
    for (const read of [readGreeting, readCredentials, readRequest]) {
      for (const start of [[], [5], [1]]) {
        await read(readerOf(concatBytes(Uint8Array.from(start), bytes), cut))
          .catch((error) => assert.ok(error instanceof SkywireError, String(error)));
      }
    }
  }));
  await assert.rejects(readGreeting(readerOf(hex("04 01 00"))), (error) => hasCode(error, "socks/version"));
  await assert.rejects(readGreeting(readerOf(hex("05 02 00"))), (error) => hasCode(error, "socks/ended"));
});

Deno.test("a read that is pending is not lost when the consumer changes", async () => {
  const reads: ((bytes: Uint8Array) => void)[] = [];
  const reader = new LinkReader({
    read: (into) =>
      new Promise((resolve) =>
        reads.push((bytes) => {
          into.set(bytes);
          resolve(bytes.length);
        })
      ),
  });
  const first = reader.peek();
  reader.putBack(hex("01 02"));
  const second = reader.exactly(5);
  reads[0]?.(hex("03 04 05"));
  assert.equal((await second).toHex(), "0102030405");
  await Promise.race([first, Promise.resolve()]);
  assert.equal(reads.length, 1);
});

Deno.test("an answer in the server's place goes on wherever the server fell silent", async () => {
  const plain = "05 01 00";
  const request = "05 01 00 01 01020304 0050";
  const cases: [client: string, server: string, answer: string][] = [
    [plain + request, "", "0500 05010001000000000000"],
    [plain + request, "0500", "05010001000000000000"],
    ["05 02 00 02" + "01 0161 0162" + request, "0502", "0100 05010001000000000000"],
    ["05 01 02" + "01 0161 0162" + request, "0502 0100", "05010001000000000000"],
    ["05 01 01", "", "05ff"],
    // Cut inside an answer, answered, or refused: silence.
    [plain + request, "05", ""],
    [plain + request, "0500 05", ""],
    ["05 01 01", "05ff", ""],
  ];
  for (const [client, server, answer] of cases) {
    const watch = new HandshakeWatch();
    watch.onClientBytes(hex(client));
    watch.onServerBytes(hex(server));
    const written: Uint8Array[] = [];
    const link = {
      remoteAddress: "",
      read: (): Promise<null> => Promise.resolve(null),
      write(bytes: Uint8Array): Promise<void> {
        written.push(bytes);
        return Promise.resolve();
      },
      close(): void {},
    };
    await watch.answer(link, new LinkReader(link), 1).catch((error) => assert.ok(hasCode(error, "socks/ended")));
    assert.equal(concatBytes(...written).toHex(), answer.replaceAll(" ", ""), `${client} | ${server}`);
  }
});

Deno.test("a client that says more than a handshake is not remembered", () => {
  const watch = new HandshakeWatch();
  watch.onClientBytes(new Uint8Array(2_000));
  assert.equal(watch.rewind()?.length, 2_000);
  watch.onClientBytes(new Uint8Array(2_000));
  watch.onClientBytes(new Uint8Array(2_000));
  assert.equal(watch.rewind(), undefined);
});
