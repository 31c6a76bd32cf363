import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { createEntryPublisher } from "../../lib/messaging/entry_publisher.ts";
import type { EntryPublisher } from "../../lib/messaging/entry_publisher.ts";
import { ENTRY_VERSION, signEntry } from "../../lib/wire/messaging_entry.ts";
import type { Entry } from "../../lib/wire/messaging_entry.ts";
import { UnavailableError } from "../../lib/errors/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";

const secret = secretOf(1);
const publicKey = publicKeyOf(secret);
const SERVER = publicKeyOf(secretOf(2));

function start(sim: Simulation, directory: FakeDirectory): EntryPublisher {
  return createEntryPublisher({
    runtime: sim.runtimeFor("a"),
    secret,
    publicKey,
    discovery: directory,
    spacingMs: 500,
    describe: () => ({ client: { delegatedServers: [SERVER] } }),
  });
}

function entryOf(sequence: bigint, timestamp: bigint): Entry {
  return signEntry({
    version: ENTRY_VERSION,
    static: publicKey,
    sequence,
    timestamp,
    client: { delegatedServers: [] },
  }, secret);
}

simulationTest("EntryPublisher publishes on change and every minute, and asks only once", async (sim) => {
  const directory = new FakeDirectory();
  const publisher = start(sim, directory);
  await sim.run(60_000);
  assert.deepEqual(directory.calls, [], "nothing to publish yet");
  publisher.changed();
  await sim.run(publisher.published);
  assert.equal(directory.stored.get(publicKey)?.sequence, 0n);
  await sim.run(180_010);
  assert.equal(directory.stored.get(publicKey)?.sequence, 3n);
  assert.deepEqual(directory.calls, ["entry", "publish", "publish", "publish", "publish"]);
  await sim.run(publisher.close());
  assert.equal(directory.stored.size, 0);
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("EntryPublisher publishes many changes at once together", async (sim) => {
  const directory = new FakeDirectory();
  const publisher = start(sim, directory);
  for (let change = 0; change < 100; change++) publisher.changed();
  await sim.run(publisher.published);
  for (let change = 0; change < 100; change++) publisher.changed();
  await sim.run(1_000);
  assert.equal(directory.calls.filter((call) => call === "publish").length, 2);
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher continues the sequence of an entry that was there before", async (sim) => {
  const directory = new FakeDirectory();
  directory.stored.set(publicKey, entryOf(41n, 1n));
  const publisher = start(sim, directory);
  publisher.changed();
  await sim.run(publisher.published);
  assert.equal(directory.stored.get(publicKey)?.sequence, 42n);
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher does not start at 0 because the discovery was away (dmsg.md Q23)", async (sim) => {
  const directory = new FakeDirectory();
  directory.stored.set(publicKey, entryOf(41n, 1n));
  directory.isAway = true;
  const publisher = start(sim, directory);
  publisher.changed();
  await sim.run(30_000);
  assert.ok(!directory.calls.includes("publish"));
  directory.isAway = false;
  await sim.run(publisher.published, 20_000);
  assert.equal(directory.stored.get(publicKey)?.sequence, 42n);
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher is back within a minute after the discovery lost its store", async (sim) => {
  const directory = new FakeDirectory();
  const publisher = start(sim, directory);
  publisher.changed();
  await sim.run(publisher.published);
  directory.stored.clear();
  await sim.run(60_010);
  assert.ok(directory.stored.has(publicKey));
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher is back within 2 s after somebody removed its entry", async (sim) => {
  const directory = new FakeDirectory();
  const isStored = (key: PublicKey): Promise<boolean> => Promise.resolve(directory.stored.has(key));
  const publisher = start(sim, Object.assign(directory, { isStored }));
  publisher.changed();
  await sim.run(publisher.published);
  for (let attack = 0; attack < 3; attack++) {
    await sim.run(7_000);
    directory.stored.clear();
    await sim.run(2_000);
    assert.ok(directory.stored.has(publicKey));
  }
  await sim.run(publisher.close());
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("EntryPublisher asks a slow discovery less often, and goes on while it cannot be asked", async (sim) => {
  const directory = new FakeDirectory();
  const { timers } = sim.runtimeFor("b");
  let asked = 0;
  const isStored = async (): Promise<boolean> => {
    asked++;
    await new Promise<void>((resolve) => timers.after(1_000, resolve));
    if (asked === 2) throw new UnavailableError("discovery/unreachable", "Ask");
    return true;
  };
  const publisher = start(sim, Object.assign(directory, { isStored }));
  publisher.changed();
  await sim.run(publisher.published);
  await sim.run(50_000);
  assert.ok(asked >= 3 && asked <= 4, `asked ${asked} times in 50 s, a second each`);
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher gets above the sequence of an entry that was removed", async (sim) => {
  const directory = new FakeDirectory();
  directory.tombstones.set(publicKey, 7n);
  const publisher = start(sim, directory);
  publisher.changed();
  await sim.run(publisher.published, 5_000);
  assert.ok((directory.stored.get(publicKey)?.sequence ?? 0n) > 7n);
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher overtakes another process with its key, unless that published later", async (sim) => {
  const directory = new FakeDirectory();
  const publisher = start(sim, directory);
  publisher.changed();
  await sim.run(publisher.published);
  const now = sim.runtimeFor("a").clock.wallNanos();
  directory.stored.set(publicKey, entryOf(100n, now));
  publisher.changed();
  await sim.run(1_000);
  assert.equal(directory.stored.get(publicKey)?.sequence, 101n);
  const later = entryOf(200n, now + 3_600_000_000_000n);
  directory.stored.set(publicKey, later);
  publisher.changed();
  await sim.run(1_000);
  assert.equal(directory.stored.get(publicKey), later, "newest information wins");
  await sim.run(61_000);
  assert.equal(directory.stored.get(publicKey)?.sequence, 201n, "a clock that went back does not cut us off");
  await sim.run(publisher.close());
});

simulationTest("EntryPublisher closes within a second while the discovery does not answer", async (sim) => {
  const directory = new FakeDirectory();
  const publisher = start(sim, directory);
  publisher.changed();
  await sim.run(publisher.published);
  directory.remove = () => new Promise(() => {});
  await sim.run(publisher.close(), 1_001);
});
