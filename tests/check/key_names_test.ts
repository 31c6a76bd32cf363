import assert from "node:assert/strict";
import fc from "fast-check";
import { isKeyName, isKeyStart, isKeyText } from "../../lib/check/mod.ts";
import { parseTransportId } from "../../lib/types/mod.ts";

Deno.test("isKeyName() takes labels of host names that look like no key", () => {
  for (const good of ["a", "7", "mira", "ada", "cafe", "office-2", "3d-printer", "nas", "deadbee", "x".repeat(63)]) {
    assert.ok(isKeyName(good), good);
  }
  for (
    const bad of [
      "",
      "-a",
      "a-",
      "Mira",
      "a b",
      "a.b",
      "mira.sky",
      "a_b",
      "zoë",
      "a\n",
      "x".repeat(64),
      "0",
      "02c6",
      "02c6047",
      "02c6047f",
      "deadbeef",
      "12345678",
      `02${"ab".repeat(32)}`,
      "eddd8617-499d-0238-b341-ea0908ef5201",
      "xn--mnchen-3ya",
      "a/../b",
    ]
  ) assert.ok(!isKeyName(bad), bad);
});

Deno.test("isKeyName() takes nothing that could be a shortened key or an id, and what it takes is a host as it stands", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 70 }),
    fc.stringMatching(/^[0-9a-f-]{1,66}$/),
    fc.stringMatching(/^[a-z0-9-]{1,64}$/),
  );
  fc.assert(fc.property(text, (name) => {
    assert.equal(isKeyText(name), isKeyStart(name) || isKeyName(name));
    if (!isKeyName(name)) return;
    assert.ok(!isKeyStart(name) && parseTransportId(name) === undefined);
    assert.equal(new URL(`http://${name}.sky:80/`).hostname, `${name}.sky`);
  }));
});
