/** Keeps transports in a SQL database. Tested in tests/services/transport_discovery/store_test.ts. */

import { migrate, type SqlDatabase, type SqlRow } from "../../storage/mod.ts";
import type { PublicKey, TransportId } from "../../types/mod.ts";
import type { TransportEntry } from "../../wire/transport_entry.ts";
import init from "./migrations/0001_init.sql" with { type: "text" };
import reportedColumn from "./migrations/0002_reported.sql" with { type: "text" };
import type { TransportStore } from "./store.ts";

const COLUMNS = "transport_id, edge_a, edge_b, type, label";

/**
 * Makes a store, and its tables (those of the nonces too) when they are missing.
 * @param database of this service alone; stays open
 * @throws {UnavailableError} as `migrate`
 */
export async function createSqlTransportStore(database: SqlDatabase): Promise<TransportStore> {
  await migrate(database, [init, reportedColumn]);
  const insert = database.prepare(
    `INSERT INTO transports (${COLUMNS}) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (transport_id) DO UPDATE SET label = excluded.label WHERE transports.label <> excluded.label`,
  );
  const byId = database.prepare(`SELECT ${COLUMNS} FROM transports WHERE transport_id = ?`);
  const byEdge = database.prepare(
    `SELECT ${COLUMNS} FROM transports WHERE edge_a = ? OR edge_b = ? ORDER BY position`,
  );
  const all = database.prepare(`SELECT ${COLUMNS} FROM transports ORDER BY position`);
  const remove = database.prepare("DELETE FROM transports WHERE transport_id = ?");
  const mark = database.prepare("UPDATE transports SET is_reported = 1 WHERE transport_id = ? AND is_reported = 0");
  const reported = database.prepare("SELECT transport_id FROM transports WHERE is_reported = 1 ORDER BY position");
  return {
    add: async (entries) => {
      const changes = await database.transaction(entries.map(({ id, edges, kind, label }) => ({
        statement: insert,
        parameters: [id, ...edges, kind, label],
      })));
      return entries.filter((_entry, i) => changes[i] === 1);
    },
    byId: async (id) => {
      const row = await byId.get(id);
      return row === undefined ? undefined : entryOf(row);
    },
    byEdge: async (key) => (await byEdge.all(key, key)).map(entryOf),
    all: async () => (await all.all()).map(entryOf),
    remove: async (id) => await remove.run(id) === 1,
    markReported: async (ids) =>
      void await database.transaction(ids.map((id) => ({ statement: mark, parameters: [id] }))),
    reported: async () => (await reported.all()).map((row) => row["transport_id"] as TransportId),
  };
}

function entryOf(row: SqlRow): TransportEntry {
  return {
    id: row["transport_id"] as TransportId,
    edges: [row["edge_a"] as PublicKey, row["edge_b"] as PublicKey],
    kind: row["type"] as string,
    label: row["label"] as string,
  };
}
