/** What a visor keeps: one owner at a time, and files that say what is wrong with them. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { makeVisorConfig } from "../../lib/visor/config/visor_config.ts";
import { DataFolder } from "../../lib/visor/data_folder.ts";
import { keptProxies } from "../../lib/visor/proxies/kept.ts";
import { wantedTransports } from "../../lib/visor/transports/wanted.ts";
import { createSeededRandom } from "../../lib/simulation/seeded_random.ts";
import { createMemoryStorage, type MemoryStorage } from "../../lib/simulation/memory_storage.ts";

function makeFolder(): { readonly storage: MemoryStorage; readonly folder: DataFolder } {
  const storage = createMemoryStorage();
  return { storage, folder: new DataFolder(storage, createSeededRandom("folder")) };
}

Deno.test("DataFolder has one owner at a time", async () => {
  const { folder } = makeFolder();
  {
    await using _taken = await folder.take();
    await assert.rejects(folder.take(), (error) => hasCode(error, "visor/already-running"));
  }
  await using _again = await folder.take();
});

Deno.test("DataFolder leaves a folder as it was until it is kept", async () => {
  const { storage, folder } = makeFolder();
  {
    await using _taken = await folder.take();
    (await folder.secretKey("visor"))[Symbol.dispose]();
    await folder.saveConfig(makeVisorConfig({}));
  }
  assert.deepEqual(await storage.list(), []);
  {
    await using taken = await folder.take();
    (await folder.secretKey("visor"))[Symbol.dispose]();
    taken.keep();
  }
  assert.deepEqual([...await storage.list()].sort(), ["visor.key", "visor.lock"]);
});

Deno.test("DataFolder refuses a folder with files that are no visor's, and writes nothing to it", async () => {
  const other = new TextEncoder().encode('{"editor": true}');
  const own = new TextEncoder().encode(JSON.stringify(makeVisorConfig({})));
  const folders: readonly (readonly [boolean, Readonly<Record<string, Uint8Array>>])[] = [
    [false, { "photo.jpg": other }],
    [false, { "photo.jpg": other, "config.json": other }],
    [false, { "src/main.ts": other, "lost+found/x": other }],
    [true, {}],
    [true, { "lost+found/x": other }],
    [true, { "photo.jpg": other, "config.json": own }],
    [true, { "photo.jpg": other, "visor.key": other }],
    [true, { "photo.jpg": other, "visor.lock": new Uint8Array() }],
    [true, { "proxies.json": other, "names.json": other }],
  ];
  for (const [isTaken, files] of folders) {
    const { storage, folder } = makeFolder();
    for (const [name, content] of Object.entries(files)) await storage.write(name, content);
    const before = await storage.list();
    const taking = folder.take();
    if (isTaken) await (await taking)[Symbol.asyncDispose]();
    else await assert.rejects(taking, { code: "visor/foreign-folder", message: /it holds "(photo\.jpg|src)"/ });
    assert.deepEqual(await storage.list(), before);
  }
});

Deno.test("DataFolder makes a key once", async () => {
  const { folder } = makeFolder();
  using first = await folder.secretKey("visor");
  using second = await folder.secretKey("visor");
  assert.deepEqual(first.expose(), second.expose());
});

Deno.test("DataFolder refuses files that are damaged, by name and with a remedy", async () => {
  const { storage, folder } = makeFolder();
  const damaged = new TextEncoder().encode('{"version": 1, "host"');
  for (
    const [name, read] of [
      ["config.json", (): Promise<unknown> => folder.config()],
      ["transports.json", (): Promise<unknown> => wantedTransports(folder.storage).load()],
      ["proxies.json", (): Promise<unknown> => keptProxies(folder.storage).load()],
      ["visor.key", (): Promise<unknown> => folder.secretKey("visor")],
    ] as const
  ) {
    await storage.write(name, damaged);
    await assert.rejects(
      read(),
      (error: Error) => error.message.includes(name) && error.message.includes("move it away"),
    );
  }
});

Deno.test("DataFolder refuses a proxy whose destinations are no addresses", async () => {
  const { storage, folder } = makeFolder();
  const proxies = [{ role: "server", allow: [], destinations: ["public", "banana"] }];
  await storage.write("proxies.json", new TextEncoder().encode(JSON.stringify(proxies)));
  await assert.rejects(keptProxies(folder.storage).load(), (error: Error) => hasCode(error, "config/invalid"));
});
