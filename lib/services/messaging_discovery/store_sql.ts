/** Keeps entries in a SQL database. Tested in tests/services/messaging_discovery/store_test.ts. */

import { migrate, type SqlDatabase, type SqlRow } from "../../storage/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import init from "./migrations/0001_init.sql" with { type: "text" };
import removableBy from "./migrations/0002_removable_by.sql" with { type: "text" };
import type { EntryStore } from "./store.ts";

/** Is there an entry, and has it not expired? The parameter is Unix time, ms. */
const LIVE = "(expires_ms IS NULL OR expires_ms > ?)";

/**
 * Makes a store, and its tables when they are missing.
 * @param database of this service alone; stays open
 * @throws {UnavailableError} as `migrate`
 */
export async function createSqlEntryStore(database: SqlDatabase): Promise<EntryStore> {
  await migrate(database, [init, removableBy]);
  const text = database.prepare(`SELECT text FROM entries WHERE public_key = ? AND text <> '' AND ${LIVE}`);
  const version = database.prepare(
    `SELECT sequence, timestamp_ns, removable_by, text = '' AS is_removed FROM entries WHERE public_key = ? AND ${LIVE}`,
  );
  const replace = database.prepare(`
    INSERT INTO entries (public_key, sequence, timestamp_ns, text, is_server, is_client, is_visor, available_sessions,
      removable_by, expires_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (public_key) DO UPDATE SET
      sequence = excluded.sequence, timestamp_ns = excluded.timestamp_ns, text = excluded.text,
      is_server = excluded.is_server, is_client = excluded.is_client, is_visor = excluded.is_visor,
      available_sessions = excluded.available_sessions, removable_by = excluded.removable_by,
      expires_ms = excluded.expires_ms
    WHERE entries.expires_ms <= ? OR (entries.sequence = ? AND entries.timestamp_ns = ?)`);
  const forget = database.prepare("DELETE FROM entries WHERE public_key = ?");
  const prune = database.prepare("DELETE FROM entries WHERE expires_ms <= ?");
  const keys = (column: "is_client" | "is_visor"): (nowMs: number) => Promise<readonly PublicKey[]> => {
    const select = database.prepare(
      `SELECT public_key FROM entries WHERE ${column} = 1 AND text <> '' AND ${LIVE} ORDER BY public_key`,
    );
    return async (nowMs) => (await select.all(nowMs)).map((row) => row["public_key"] as PublicKey);
  };
  const servers = database.prepare(`
    SELECT text FROM entries WHERE is_server = 1 AND text <> '' AND ${LIVE} AND available_sessions >= ?
    ORDER BY available_sessions DESC, public_key`);

  const textOf = (row: SqlRow | undefined): string | undefined => row?.["text"] as string | undefined;
  return {
    text: async (key, nowMs) => textOf(await text.get(key, nowMs)),
    version: async (key, nowMs) => {
      const row = await version.get(key, nowMs);
      if (row === undefined) return undefined;
      return {
        sequence: BigInt(row["sequence"] as string),
        timestamp: row["timestamp_ns"] as bigint,
        isRemoved: row["is_removed"] === 1n,
        ...(row["removable_by"] === null ? {} : { removableBy: row["removable_by"] as string }),
      };
    },
    replace: async (entry, { replaces, nowMs }) => {
      const changed = await replace.run(
        entry.key,
        entry.sequence.toString(),
        entry.timestamp,
        entry.text,
        Number(entry.isServer),
        Number(entry.isClient),
        Number(entry.isVisor),
        entry.availableSessions,
        entry.removableBy ?? null,
        entry.expiresMs ?? null,
        nowMs,
        replaces?.sequence.toString() ?? null,
        replaces?.timestamp ?? null,
      );
      return changed === 1;
    },
    forget: async (key) => void await forget.run(key),
    clients: keys("is_client"),
    visors: keys("is_visor"),
    servers: async ({ nowMs, onlyAvailable }) =>
      (await servers.all(nowMs, onlyAvailable ? 1 : Number.MIN_SAFE_INTEGER)).map((row) => row["text"] as string),
    prune: async (nowMs) => void await prune.run(nowMs),
  };
}
