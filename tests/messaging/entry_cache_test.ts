import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { EntryCache } from "../../lib/messaging/entry_cache.ts";
import { ENTRY_VERSION } from "../../lib/wire/messaging_entry.ts";
import type { Entry } from "../../lib/wire/messaging_entry.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";

const key = publicKeyOf(secretOf(1));
const entry: Entry = {
  version: ENTRY_VERSION,
  static: key,
  sequence: 1n,
  timestamp: 1n,
  client: { delegatedServers: [] },
};

simulationTest("EntryCache asks once for simultaneous and for close questions", async (sim) => {
  const directory = new FakeDirectory();
  directory.stored.set(key, entry);
  const cache = new EntryCache({ runtime: sim.runtimeFor("a"), discovery: directory });
  const answers = await sim.run(Promise.all([cache.lookUp(key), cache.lookUp(key)]));
  assert.deepEqual(answers.map((answer) => answer.entry), [entry, entry]);
  assert.deepEqual(await sim.run(cache.lookUp(key)), { entry, remembered: true });
  assert.deepEqual(directory.calls, ["entry"]);
  await sim.run(10_000);
  assert.deepEqual(await sim.run(cache.lookUp(key)), { entry, remembered: false });
  assert.deepEqual(directory.calls, ["entry", "entry"]);
});

simulationTest("EntryCache asks again for an entry that turned out wrong", async (sim) => {
  const directory = new FakeDirectory();
  directory.stored.set(key, entry);
  const cache = new EntryCache({ runtime: sim.runtimeFor("a"), discovery: directory });
  await sim.run(cache.lookUp(key));
  cache.expire(key);
  directory.stored.delete(key);
  assert.equal((await sim.run(cache.lookUp(key))).entry, undefined);
});

simulationTest("EntryCache gives the last it knew while the discovery is away", async (sim) => {
  const directory = new FakeDirectory();
  directory.stored.set(key, entry);
  const cache = new EntryCache({ runtime: sim.runtimeFor("a"), discovery: directory });
  await sim.run(cache.lookUp(key));
  cache.expire(key);
  directory.isAway = true;
  assert.deepEqual(await sim.run(cache.lookUp(key)), { entry, remembered: true });
  const stranger = publicKeyOf(secretOf(2));
  await sim.run(
    assert.rejects(cache.lookUp(stranger), (error) => hasCode(error, "messaging/discovery-unreachable")),
  );
});

simulationTest("EntryCache keeps 1,024 entries, and lets the oldest go first", async (sim) => {
  const directory = new FakeDirectory();
  const cache = new EntryCache({ runtime: sim.runtimeFor("a"), discovery: directory });
  const keyOf = (n: number): PublicKey => `02${n.toString(16).padStart(64, "0")}` as PublicKey;
  for (let n = 0; n <= 1_024; n++) cache.add({ ...entry, static: keyOf(n) });
  assert.equal((await sim.run(cache.lookUp(keyOf(1)))).remembered, true);
  assert.equal((await sim.run(cache.lookUp(keyOf(1_024)))).remembered, true);
  assert.deepEqual(await sim.run(cache.lookUp(keyOf(0))), { entry: undefined, remembered: false });
});
