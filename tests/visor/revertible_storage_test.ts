/** Files whose changes can be taken back. */

import assert from "node:assert/strict";
import { createMemoryStorage, type MemoryStorage } from "../../lib/simulation/memory_storage.ts";
import { RevertibleStorage } from "../../lib/visor/revertible_storage.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function contentOf(storage: MemoryStorage): Promise<Record<string, string>> {
  const names = [...await storage.list()].sort();
  const files = await Promise.all(
    names.map(async (name) => [name, new TextDecoder().decode(await storage.read(name))]),
  );
  return Object.fromEntries(files);
}

async function changed(): Promise<{ readonly disk: MemoryStorage; readonly storage: RevertibleStorage }> {
  const disk = createMemoryStorage();
  for (const name of ["same", "changed", "removed"]) await disk.write(name, bytes(name));
  const storage = new RevertibleStorage(disk);
  await storage.write("changed", bytes("once"));
  await storage.write("changed", bytes("twice"));
  await storage.remove("removed");
  await storage.write("new", bytes("new"));
  // Made by an engine that knows nothing of storages.
  storage.noteNew(["database", "never-made"]);
  await disk.write("database", bytes("rows"));
  return { disk, storage };
}

Deno.test("revert() leaves files as they were before", async () => {
  const { disk, storage } = await changed();
  await storage.revert();
  assert.deepEqual(await contentOf(disk), { changed: "changed", removed: "removed", same: "same" });
});

Deno.test("what is kept stays, and what is written later, too", async () => {
  const { disk, storage } = await changed();
  storage.keep();
  await storage.write("later", bytes("later"));
  await storage.revert();
  assert.deepEqual(await contentOf(disk), {
    changed: "twice",
    database: "rows",
    later: "later",
    new: "new",
    same: "same",
  });
});
