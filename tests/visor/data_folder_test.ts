/** What a visor keeps: one owner at a time, and files that say what is wrong with them. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
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
    using _lock = await folder.lock();
    await assert.rejects(folder.lock(), (error) => hasCode(error, "visor/already-running"));
  }
  using _again = await folder.lock();
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
    await assert.rejects(read(), (error: Error) => error.message.includes(name) && error.message.includes("remove it"));
  }
});

Deno.test("DataFolder refuses a proxy whose destinations are no addresses", async () => {
  const { storage, folder } = makeFolder();
  const proxies = [{ role: "server", allow: [], destinations: ["public", "banana"] }];
  await storage.write("proxies.json", new TextEncoder().encode(JSON.stringify(proxies)));
  await assert.rejects(keptProxies(folder.storage).load(), (error: Error) => hasCode(error, "config/invalid"));
});
