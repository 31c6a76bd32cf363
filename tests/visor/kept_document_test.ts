import assert from "node:assert/strict";
import * as v from "valibot";
import { sleep } from "../../lib/runtime/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { createMemoryStorage, type MemoryStorage } from "../../lib/simulation/memory_storage.ts";
import { KeptDocument } from "../../lib/visor/kept_document.ts";
import { createVirtualTime } from "../fakes/mod.ts";

const SCHEMA: v.GenericSchema<unknown, readonly { readonly n: number }[]> = v.array(v.looseObject({ n: v.number() }));

function documentOn(storage: Pick<MemoryStorage, "read" | "write">): KeptDocument<readonly { readonly n: number }[]> {
  return new KeptDocument({ storage, name: "list.json", schema: SCHEMA, empty: [] });
}

async function textIn(storage: MemoryStorage): Promise<unknown> {
  const bytes = await storage.read("list.json");
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}

Deno.test("KeptDocument makes changes that are asked for at once one after the other, on a disk whose writes overtake", async () => {
  const storage = createMemoryStorage();
  const { run, timers } = createVirtualTime();
  let writes = 0;
  const document = documentOn({
    read: (name) => storage.read(name),
    write: async (name, content) => {
      // The first write is the slowest.
      await sleep(timers, 100 - writes++);
      await storage.write(name, content);
    },
  });
  const numbers = Array.from({ length: 8 }, (_, n) => n);
  await run(Promise.all(numbers.map(async (n) => {
    await document.change((all) => [...all, { n }]);
    assert.ok((await textIn(storage) as { n: number }[]).some((one) => one.n === n), "answered when it is on disk");
  })));
  assert.deepEqual(await textIn(storage), numbers.map((n) => ({ n })));
  await run(Promise.all(numbers.map((n) => document.change((all) => all.filter((one) => one.n !== n)))));
  assert.deepEqual(await textIn(storage), []);
});

Deno.test("KeptDocument takes back what it could not save, and goes on", async () => {
  const storage = createMemoryStorage();
  const document = documentOn(storage);
  await document.change(() => [{ n: 1 }]);
  storage.full = true;
  const failed = document.change((all) => [...all, { n: 2 }]);
  await assert.rejects(failed, (error) => hasCode(error, "storage/write-failed"));
  assert.deepEqual(document.value, [{ n: 1 }]);
  storage.full = false;
  await document.change((all) => [...all, { n: 3 }]);
  assert.deepEqual(await textIn(storage), [{ n: 1 }, { n: 3 }]);
  await assert.rejects(document.change(() => {
    throw new Error("no");
  }));
  assert.deepEqual(document.value, [{ n: 1 }, { n: 3 }]);
});

Deno.test("KeptDocument keeps members that a later version wrote, and reads before it writes", async () => {
  const storage = createMemoryStorage();
  await storage.write("list.json", new TextEncoder().encode('[{"n":1,"later":true}]'));
  await documentOn(storage).change((all) => [...all, { n: 2 }]);
  assert.deepEqual(await textIn(storage), [{ n: 1, later: true }, { n: 2 }]);
});
