import assert from "node:assert/strict";
import { openSqlite } from "../../../lib/storage/mod.ts";
import type { PublicKey } from "../../../lib/types/mod.ts";
import type { EntryStore, StoredEntry } from "../../../lib/services/messaging_discovery/store.ts";
import { createMemoryEntryStore } from "../../../lib/services/messaging_discovery/store_memory.ts";
import { createSqlEntryStore } from "../../../lib/services/messaging_discovery/store_sql.ts";

const A = "02aa" as PublicKey, B = "02bb" as PublicKey, C = "02cc" as PublicKey;

function entry(key: PublicKey, parts: Partial<StoredEntry> = {}): StoredEntry {
  return {
    key,
    sequence: 1n,
    timestamp: 1_700_000_000_123_456_789n,
    text: `{"static":"${key}"}`,
    isServer: false,
    isClient: true,
    isVisor: false,
    availableSessions: 0,
    ...parts,
  };
}

const FIRST = { replaces: undefined, nowMs: 0 };

/** What every store must do. */
const CASES: Readonly<Record<string, (store: EntryStore) => Promise<void>>> = {
  "gives back the text and the version of an entry, with all their digits": async (store) => {
    const sequence = 18_446_744_073_709_551_615n;
    assert.equal(await store.text(A, 0), undefined);
    assert.equal(await store.version(A, 0), undefined);
    assert.ok(await store.replace(entry(A, { sequence }), FIRST));
    assert.equal(await store.text(A, 0), `{"static":"${A}"}`);
    assert.deepEqual(await store.version(A, 0), { sequence, timestamp: 1_700_000_000_123_456_789n, isRemoved: false });
  },
  "replaces an entry only when the expected version is stored": async (store) => {
    const first = entry(A), second = entry(A, { sequence: 2n, text: "second" });
    assert.ok(await store.replace(first, FIRST));
    assert.ok(!await store.replace(second, FIRST));
    assert.ok(!await store.replace(second, { replaces: { sequence: 1n, timestamp: 5n }, nowMs: 0 }));
    assert.ok(!await store.replace(second, { replaces: { sequence: 7n, timestamp: first.timestamp }, nowMs: 0 }));
    assert.equal(await store.text(A, 0), first.text);
    assert.ok(await store.replace(second, { replaces: first, nowMs: 0 }));
    assert.equal(await store.text(A, 0), "second");
  },
  "remembers who may remove an entry": async (store) => {
    await store.replace(entry(A, { removableBy: "198.51.100.1" }), FIRST);
    assert.equal((await store.version(A, 0))?.removableBy, "198.51.100.1");
    await store.replace(entry(A, { sequence: 2n }), { replaces: entry(A), nowMs: 0 });
    assert.equal((await store.version(A, 0))?.removableBy, undefined);
  },
  "keeps the version of a removed entry, and nothing else of it": async (store) => {
    assert.ok(await store.replace(entry(A, { text: "", isClient: false }), FIRST));
    assert.equal(await store.text(A, 0), undefined);
    assert.equal((await store.version(A, 0))?.isRemoved, true);
    assert.deepEqual(await store.clients(0), []);
    assert.ok(!await store.replace(entry(A), FIRST));
  },
  "does not know an entry that has expired": async (store) => {
    const mortal = entry(A, { expiresMs: 1000, isServer: true, isVisor: true });
    assert.ok(await store.replace(mortal, FIRST));
    assert.equal(await store.text(A, 999), mortal.text);
    assert.equal(await store.text(A, 1000), undefined);
    assert.equal(await store.version(A, 1000), undefined);
    assert.deepEqual(await store.clients(1000), []);
    assert.deepEqual(await store.visors(1000), []);
    assert.deepEqual(await store.servers({ nowMs: 1000, onlyAvailable: false }), []);
    assert.ok(await store.replace(entry(A, { text: "reborn" }), { replaces: undefined, nowMs: 1000 }));
    assert.equal(await store.text(A, 1_000_000), "reborn");
  },
  "takes out what has expired, and only that": async (store) => {
    await store.replace(entry(A, { expiresMs: 1000 }), FIRST);
    await store.replace(entry(B, { expiresMs: 2000 }), FIRST);
    await store.replace(entry(C), FIRST);
    await store.prune(1000);
    assert.deepEqual(await store.clients(0), [B, C]);
  },
  "forgets a key": async (store) => {
    await store.replace(entry(A), FIRST);
    await store.forget(A);
    await store.forget(B);
    assert.equal(await store.version(A, 0), undefined);
  },
  "lists clients and visors in order of their keys": async (store) => {
    await store.replace(entry(C, { isVisor: true }), FIRST);
    await store.replace(entry(A), FIRST);
    await store.replace(entry(B, { isClient: false, isServer: true }), FIRST);
    assert.deepEqual(await store.clients(0), [A, C]);
    assert.deepEqual(await store.visors(0), [C]);
  },
  "lists servers, those with most free sessions first, full ones only on demand": async (store) => {
    const server = (key: PublicKey, availableSessions: number): StoredEntry =>
      entry(key, { isServer: true, isClient: false, availableSessions, text: `${availableSessions}` });
    await store.replace(server(A, 5), FIRST);
    await store.replace(server(B, -1), FIRST);
    await store.replace(server(C, 70), FIRST);
    assert.deepEqual(await store.servers({ nowMs: 0, onlyAvailable: true }), ["70", "5"]);
    assert.deepEqual(await store.servers({ nowMs: 0, onlyAvailable: false }), ["70", "5", "-1"]);
  },
};

for (const [name, run] of Object.entries(CASES)) {
  Deno.test(`the entry store in memory ${name}`, () => run(createMemoryEntryStore()));
  Deno.test(`the entry store in SQLite ${name}`, async () => {
    await using database = openSqlite(":memory:");
    await run(await createSqlEntryStore(database));
  });
}

Deno.test("the entry store in SQLite finds its entries again", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const isFirst of [true, false]) {
      await using database = openSqlite(`${folder}/entries.sqlite`);
      const store = await createSqlEntryStore(database);
      if (isFirst) await store.replace(entry(A), FIRST);
      assert.equal(await store.text(A, 0), entry(A).text);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
