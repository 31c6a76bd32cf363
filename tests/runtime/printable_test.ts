import assert from "node:assert/strict";
import { formatLogText, printable, printableWithBold } from "../../lib/runtime/mod.ts";

Deno.test("printable() leaves nothing that a terminal obeys, and everything that people read", () => {
  assert.equal(printable("\x1b]0;title\x07 \x1b[2J"), "\\u001b]0;title\\u0007 \\u001b[2J");
  assert.equal(printable("\x9b31m \x7f \r"), "\\u009b31m \\u007f \\u000d");
  assert.equal(printable("gpj.\u202eexe"), "gpj.\\u202eexe");
  const plain = "größer → 键 😀\tand\nmore";
  assert.equal(printable(plain), plain);
});

Deno.test("printableWithBold() keeps bold, and nothing else", () => {
  assert.equal(printableWithBold("\x1b[1mNAME\x1b[22m \x1b[31mred"), "\x1b[1mNAME\x1b[22m \\u001b[31mred");
});

Deno.test("a log line cannot move the cursor", () => {
  const line = formatLogText({ timeMs: 0, level: "info", event: "refused", fields: { reason: "\x1b[2K\x9bA" } });
  assert.equal(line, "00:00:00.000 info  refused reason=\\u001b[2K\\u009bA");
});
