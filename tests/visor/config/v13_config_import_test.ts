/** A v1.3 visor's configuration file in a data folder: taken over at every start, without losing what is there. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import type { Log } from "../../../lib/runtime/mod.ts";
import { DataFolder } from "../../../lib/visor/data_folder.ts";
import { keptProxies } from "../../../lib/visor/proxies/kept.ts";
import { wantedTransports } from "../../../lib/visor/transports/wanted.ts";
import { importV13Config } from "../../../lib/visor/config/v13_config_import.ts";
import { createMemoryStorage } from "../../../lib/simulation/memory_storage.ts";
import { createSeededRandom } from "../../../lib/simulation/seeded_random.ts";

const SK = "42bca4df2f3189b28872d40e6c61aacd5e85b8e91f8fea65780af27c142419e5";
const OTHER_SK = "da4f48916e99aa3de794bffe1b5ecd465335e38b55457a9f78b411eb8585e36f";
const OTHER = "0348c941c5015a05c455ff238af2e57fb8f914c399aab604e9abb5b32b91a4c1fe";

const FILE = {
  sk: SK,
  dmsg: { discovery: "http://127.0.0.1:9090" },
  dmsgpty: { dmsg_port: 22 },
  transport: { discovery: "http://127.0.0.1:9091" },
  routing: { route_setup_nodes: [OTHER], route_finder: "http://127.0.0.1:9092" },
  launcher: {
    apps: [
      { name: "skysocks", binary: "skywire", args: ["app", "skysocks"], auto_start: true, port: 3 },
      { name: "skysocks-client", binary: "skywire", args: ["app", "skysocks-client", "--srv", OTHER] },
    ],
  },
  persistent_transports: [{ pk: OTHER, type: "dmsg" }],
};

Deno.test("importV13Config() makes a fresh folder the visor of the file, and changes nothing the second time", async () => {
  const folder = new DataFolder(createMemoryStorage(), createSeededRandom("folder"));
  const warned: unknown[] = [];
  const none = (): void => {};
  const log = {
    debug: none,
    info: none,
    error: none,
    warn: (...line: unknown[]) => warned.push(line),
  } as unknown as Log;
  const source = { text: JSON.stringify(FILE), log };
  await importV13Config(folder, source);
  assert.deepEqual(warned.map((line) => (line as [string, { key: string }])[1].key), [
    "dmsgpty",
    "launcher.apps.skysocks (destinations that are not public)",
    "launcher.apps.skysocks-client --addr (other interfaces than loopback)",
  ]);
  {
    using secret = await folder.secretKey("visor");
    assert.equal(secret.expose().toHex(), SK);
  }
  const everything = async (): Promise<unknown> => [
    await folder.config(),
    await wantedTransports(folder.storage).load(),
    await keptProxies(folder.storage).load(),
  ];
  assert.equal((await folder.config())?.network?.transportDiscovery, "http://127.0.0.1:9091");
  assert.deepEqual(await wantedTransports(folder.storage).load(), [{ remote: OTHER, type: "dmsg", label: "user" }]);
  assert.deepEqual(await keptProxies(folder.storage).load(), [
    { role: "server", allow: [], destinations: ["public"] },
    { role: "client", to: OTHER, listen: "127.0.0.1:1080", stopped: true },
  ]);
  const before = await everything();
  await importV13Config(folder, source);
  assert.deepEqual(await everything(), before);
  await assert.rejects(
    importV13Config(folder, { ...source, text: JSON.stringify({ ...FILE, sk: OTHER_SK }) }),
    (error) => hasCode(error, "config/other-visor"),
  );
  assert.deepEqual(await everything(), before);
});
