/** Keeps where visors are in a SQL database. Tested in tests/services/address_resolver/store_test.ts. */

import { BugError } from "../../errors/mod.ts";
import { migrate, type SqlDatabase } from "../../storage/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { formatVisorAddresses, parseVisorAddresses, type VisorAddresses } from "./api.ts";
import init from "./migrations/0001_init.sql" with { type: "text" };
import type { AddressStore } from "./store.ts";

/**
 * Makes a store, and its tables (those of the nonces too) when they are missing.
 * @param database of this service alone; stays open
 * @throws {UnavailableError} as `migrate`
 */
export async function createSqlAddressStore(database: SqlDatabase): Promise<AddressStore> {
  await migrate(database, [init]);
  const put = database.prepare(
    `INSERT INTO visors (public_key, addresses, expires_ms) VALUES (?, ?, ?)
    ON CONFLICT (public_key) DO UPDATE SET addresses = excluded.addresses, expires_ms = excluded.expires_ms`,
  );
  const get = database.prepare("SELECT addresses FROM visors WHERE public_key = ? AND expires_ms > ?");
  const keys = database.prepare("SELECT public_key FROM visors WHERE expires_ms > ? ORDER BY public_key");
  const remove = database.prepare("DELETE FROM visors WHERE public_key = ?");
  const prune = database.prepare("DELETE FROM visors WHERE expires_ms <= ?");
  return {
    put: async (key, { addresses, expiresMs }) => void await put.run(key, formatVisorAddresses(addresses), expiresMs),
    get: async (key, nowMs) => {
      const row = await get.get(key, nowMs);
      return row === undefined ? undefined : readAddresses(row["addresses"] as string);
    },
    keys: async (nowMs) => (await keys.all(nowMs)).map((row) => row["public_key"] as PublicKey),
    remove: async (key) => void await remove.run(key),
    prune: async (nowMs) => void await prune.run(nowMs),
  };
}

function readAddresses(text: string): VisorAddresses {
  const addresses = parseVisorAddresses(text);
  if (addresses instanceof Fault) throw new BugError("address-resolver/bad-row", "Read what this store wrote");
  return addresses;
}
