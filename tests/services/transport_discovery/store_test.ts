import assert from "node:assert/strict";
import { openSqlite } from "../../../lib/storage/mod.ts";
import type { TransportStore } from "../../../lib/services/transport_discovery/store.ts";
import { createMemoryTransportStore } from "../../../lib/services/transport_discovery/store_memory.ts";
import { createSqlTransportStore } from "../../../lib/services/transport_discovery/store_sql.ts";
import { createMemoryNonceStore, createSqlNonceStore, type NonceStore } from "../../../lib/services/http/mod.ts";
import { makeTransportEntry, type TransportEntry } from "../../../lib/wire/transport_entry.ts";
import { makeVisor, type TestVisor } from "./support.ts";

const [A, B, C] = [makeVisor(1), makeVisor(2), makeVisor(3)];

function entry(a: TestVisor, b: TestVisor, parts: { kind?: string; label?: string } = {}): TransportEntry {
  return makeTransportEntry(a.publicKey, b.publicKey, { kind: "stcp", label: "user", ...parts });
}

/** What every store must do. */
const CASES: Readonly<Record<string, (store: TransportStore) => Promise<void>>> = {
  "finds a transport by its id and by both edges": async (store) => {
    const ab = entry(A, B);
    assert.deepEqual(await store.add([ab]), [ab]);
    assert.deepEqual(await store.byId(ab.id), ab);
    assert.deepEqual(await store.byEdge(A.publicKey), [ab]);
    assert.deepEqual(await store.byEdge(B.publicKey), [ab]);
    assert.deepEqual(await store.byEdge(C.publicKey), []);
    assert.equal(await store.byId(entry(A, C).id), undefined);
  },
  "finds a transport to oneself once": async (store) => {
    await store.add([entry(A, A)]);
    assert.deepEqual(await store.byEdge(A.publicKey), [entry(A, A)]);
  },
  "keeps the order in which transports came first": async (store) => {
    const entries = [entry(C, A), entry(A, B), entry(A, B, { kind: "dmsg" })];
    await store.add(entries);
    await store.add([entry(C, A, { label: "automatic" })]);
    const expected = [entry(C, A, { label: "automatic" }), ...entries.slice(1)];
    assert.deepEqual(await store.all(), expected);
    assert.deepEqual(await store.byEdge(A.publicKey), expected);
  },
  "says which transports were new or got another label": async (store) => {
    await store.add([entry(A, B)]);
    const again = [entry(A, B), entry(A, C)];
    assert.deepEqual(await store.add(again), [entry(A, C)]);
    const relabelled = entry(A, B, { label: "automatic" });
    assert.deepEqual(await store.add([relabelled, entry(A, C)]), [relabelled]);
    assert.deepEqual(await store.byId(relabelled.id), relabelled);
    assert.deepEqual(await store.add([]), []);
  },
  "removes a transport once": async (store) => {
    await store.add([entry(A, B), entry(A, C)]);
    assert.equal(await store.remove(entry(A, B).id), true);
    assert.equal(await store.remove(entry(A, B).id), false);
    assert.deepEqual(await store.all(), [entry(A, C)]);
  },
  "knows which transports were reported, until they are removed": async (store) => {
    const [ab, ac] = [entry(A, B), entry(A, C)];
    await store.add([ab, ac]);
    await store.markReported([ac.id, entry(B, C).id]);
    await store.markReported([ab.id, ac.id]);
    assert.deepEqual(new Set(await store.reported()), new Set([ab.id, ac.id]));
    await store.add([{ ...ab, label: "automatic" }]);
    assert.equal((await store.reported()).length, 2);
    await store.remove(ab.id);
    await store.add([ab]);
    assert.deepEqual(await store.reported(), [ac.id]);
    await store.markReported([]);
  },
};

/** What every store of nonces must do. */
const NONCE_CASES: Readonly<Record<string, (store: NonceStore) => Promise<void>>> = {
  "begins with 0 and counts for each key apart": async (store) => {
    assert.equal(await store.next(A.publicKey), 0n);
    await store.advance(A.publicKey);
    await store.advance(A.publicKey);
    await store.advance(B.publicKey);
    assert.equal(await store.next(A.publicKey), 2n);
    assert.equal(await store.next(B.publicKey), 1n);
  },
};

for (const [name, run] of Object.entries(CASES)) {
  Deno.test(`the transport store in memory ${name}`, () => run(createMemoryTransportStore()));
  Deno.test(`the transport store in SQLite ${name}`, async () => {
    await using database = openSqlite(":memory:");
    await run(await createSqlTransportStore(database));
  });
}

for (const [name, run] of Object.entries(NONCE_CASES)) {
  Deno.test(`the nonce store in memory ${name}`, () => run(createMemoryNonceStore()));
  Deno.test(`the nonce store in SQLite ${name}`, async () => {
    await using database = openSqlite(":memory:");
    await createSqlTransportStore(database);
    await run(createSqlNonceStore(database));
  });
}
