import assert from "node:assert/strict";
import { concatBytes, equalBytes, formatHex, parseHex } from "../../lib/types/mod.ts";

Deno.test("formatHex() and parseHex() are each other's opposite", () => {
  assert.equal(formatHex(new Uint8Array([0, 0xab, 0xff])), "00abff");
  assert.deepEqual(parseHex("00ABff"), new Uint8Array([0, 0xab, 0xff]));
  assert.equal(formatHex(new Uint8Array()), "");
});

Deno.test("parseHex() refuses what is no hex", () => {
  for (const text of ["0", "0g", " 00"]) assert.throws(() => parseHex(text), SyntaxError);
});

Deno.test("concatBytes() joins any number of parts", () => {
  assert.deepEqual(concatBytes(), new Uint8Array());
  assert.deepEqual(
    concatBytes(new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3])),
    new Uint8Array([1, 2, 3]),
  );
});

Deno.test("equalBytes() compares lengths and bytes", () => {
  const bytes = new Uint8Array([1, 2]);
  assert.ok(equalBytes(bytes, new Uint8Array([1, 2])));
  for (const other of [[1], [1, 3], [1, 2, 0]]) assert.ok(!equalBytes(bytes, new Uint8Array(other)));
});
