import assert from "node:assert/strict";
import { openSqlite } from "../../../lib/storage/mod.ts";
import type { VisorAddresses } from "../../../lib/services/address_resolver/api.ts";
import type { AddressStore } from "../../../lib/services/address_resolver/store.ts";
import { createMemoryAddressStore } from "../../../lib/services/address_resolver/store_memory.ts";
import { createSqlAddressStore } from "../../../lib/services/address_resolver/store_sql.ts";
import { makeVisor } from "../transport_discovery/support.ts";

const [A, B] = [makeVisor(1).publicKey, makeVisor(2).publicKey];

function addresses(remoteAddress: string, parts: Partial<VisorAddresses> = {}): VisorAddresses {
  return { remoteAddress, isLocal: false, port: "7777", addresses: ["::1", remoteAddress], ...parts };
}

/** What every store must do. */
const CASES: Readonly<Record<string, (store: AddressStore) => Promise<void>>> = {
  "keeps one place for each visor, the last one": async (store) => {
    assert.equal(await store.get(A, 0), undefined);
    await store.put(A, { addresses: addresses("198.51.100.1"), expiresMs: 10 });
    await store.put(A, { addresses: addresses("198.51.100.2", { addresses: undefined }), expiresMs: 10 });
    await store.put(B, { addresses: addresses("198.51.100.3"), expiresMs: 10 });
    assert.deepEqual(await store.get(A, 0), addresses("198.51.100.2", { addresses: undefined }));
    assert.deepEqual(await store.get(B, 0), addresses("198.51.100.3"));
    assert.deepEqual(await store.keys(0), [A, B].sort());
  },
  "does not know what has expired": async (store) => {
    await store.put(A, { addresses: addresses("198.51.100.1"), expiresMs: 10 });
    assert.notEqual(await store.get(A, 9), undefined);
    assert.equal(await store.get(A, 10), undefined);
    assert.deepEqual(await store.keys(10), []);
    await store.prune(9);
    assert.notEqual(await store.get(A, 9), undefined);
    await store.prune(10);
    assert.equal(await store.get(A, 9), undefined);
  },
  "forgets a visor": async (store) => {
    await store.put(A, { addresses: addresses("198.51.100.1"), expiresMs: 10 });
    await store.remove(A);
    await store.remove(A);
    assert.equal(await store.get(A, 0), undefined);
    assert.deepEqual(await store.keys(0), []);
  },
};

for (const [name, run] of Object.entries(CASES)) {
  Deno.test(`the address store in memory ${name}`, () => run(createMemoryAddressStore()));
  Deno.test(`the address store in SQLite ${name}`, async () => {
    await using database = openSqlite(":memory:");
    await run(await createSqlAddressStore(database));
  });
}
