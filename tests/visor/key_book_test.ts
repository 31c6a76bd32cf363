import assert from "node:assert/strict";
import type { PublicKey } from "../../lib/types/mod.ts";
import { KeyBook } from "../../lib/visor/key_book.ts";

const [A, B, C] = ["02aaaaaaaa", "02aaaaaaab", "03c"].map((start) => start.padEnd(66, "0") as PublicKey) as [
  PublicKey,
  PublicKey,
  PublicKey,
];

function bookOf(): KeyBook {
  const keys = new KeyBook();
  keys.add({ known: () => Promise.resolve([A, B]) });
  keys.add({ named: (text) => text === "mira" ? C : undefined, known: () => Promise.resolve([C, A]) });
  return keys;
}

Deno.test("KeyBook completes what begins one key, whole keys as they are, and names", async () => {
  const keys = bookOf();
  const stranger = "03ff".padEnd(66, "f") as PublicKey;
  assert.equal(await keys.complete(stranger), stranger);
  assert.deepEqual(await keys.completeAll(["02aaaaaaaa", C.slice(0, 8), "mira"]), [A, C, C]);
  const id = "eddd8617-499d-0238-b341-ea0908ef5201";
  assert.deepEqual(await keys.completePath([id, "mira", B]), [id, C, B]);
});

Deno.test("KeyBook says what it does not know, and what is not clear", async () => {
  const keys = bookOf();
  await assert.rejects(keys.complete("02aaaaaa"), { code: "visor/ambiguous-key", message: /2 do; give more/ });
  await assert.rejects(keys.complete("02bbbbbb"), { code: "visor/unknown-key", message: /give all 66 digits/ });
  await assert.rejects(keys.complete("otto"), { code: "visor/unknown-name", message: /"otto"/ });
  await assert.rejects(keys.completePath(["mira", "otto"]), { code: "visor/unknown-name" });
});
