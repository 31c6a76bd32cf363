import assert from "node:assert/strict";
import fc from "fast-check";
import { NULL_PUBLIC_KEY } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import { formatHtmlSafeString, formatPlainString, JsonObject, parseJson } from "../../lib/wire/go_json.ts";

Deno.test("parseJson() keeps every digit of integers and leaves other numbers as they are", () => {
  assert.deepEqual(parseJson("[18446744073709551615,-9223372036854775808,-0,1.5,1e3]"), [
    18446744073709551615n,
    -9223372036854775808n,
    0n,
    1.5,
    1000,
  ]);
});

Deno.test("parseJson() makes no number of a million digits, which would take longer than everything else", () => {
  const beyond = 10n ** 40n;
  assert.deepEqual(parseJson(`[${"9".repeat(40)},${"9".repeat(1_000_000)},-${"9".repeat(1_000_000)}]`), [
    beyond - 1n,
    beyond,
    -beyond,
  ]);
  const object = JsonObject.parse(`{"n":${"9".repeat(100_000)}}`);
  assert.ok(object instanceof JsonObject);
  object.integer("n", { min: 0n, max: (1n << 64n) - 1n });
  assert.equal(object.fault?.code, "json/range");
});

Deno.test("parseJson() gives a fault for what is no JSON and for nesting without end", () => {
  for (const text of ["", "{", "nope", "[1,]", "[".repeat(300_000), "[".repeat(50_000) + "]".repeat(50_000)]) {
    const value = parseJson(text);
    assert.ok(value instanceof Fault || text.endsWith("]"), text.slice(0, 20));
  }
});

Deno.test("JsonObject reads names in any case, the last of several, and zero for what is absent or null", () => {
  const object = JsonObject.parse('{"Name":"a","NAME":"b","n":null,"ok":true,"key":"000","list":["x",null]}');
  assert.ok(object instanceof JsonObject);
  assert.equal(object.string("name"), "b");
  assert.equal(object.string("n"), "");
  assert.equal(object.boolean("ok"), true);
  assert.equal(object.publicKey("key"), NULL_PUBLIC_KEY);
  assert.deepEqual(object.strings("list"), ["x", ""]);
  assert.equal(object.object("absent"), undefined);
  assert.equal(object.fault, undefined);
});

Deno.test("JsonObject keeps the first fault, of inner objects too", () => {
  const object = JsonObject.parse('{"inner":{"n":"3"},"s":1}');
  assert.ok(object instanceof JsonObject);
  assert.equal(object.object("inner")?.integer("n", { min: 0n, max: 9n }), 0n);
  assert.equal(object.string("s"), "");
  assert.equal(object.fault?.code, "json/kind");
  assert.match(object.fault?.message ?? "", /"n"/);
});

Deno.test("formatPlainString() and formatHtmlSafeString() are read back as what they were", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(JSON.parse(formatPlainString(text)), text.toWellFormed());
    assert.equal(JSON.parse(formatHtmlSafeString(text)), text.toWellFormed());
  }));
  assert.equal(formatPlainString("<&>\u2028\b"), '"<&>\u2028\\u0008"');
  assert.equal(formatHtmlSafeString("<&>\u2028\b"), '"\\u003c\\u0026\\u003e\\u2028\\u0008"');
});
