/**
 * The nonce that a signed request must carry next, by key of the signer; one store for each service. Tested in
 * tests/services/transport_discovery/store_test.ts.
 */

import type { SqlDatabase } from "../../storage/mod.ts";
import type { PublicKey } from "../../types/mod.ts";

/** Counts the requests of each key that were answered with 200. */
export interface NonceStore {
  /** The nonce that the next request of the key must carry; 0 for an unknown key. */
  next(key: PublicKey): Promise<bigint>;
  /** Counts one request. */
  advance(key: PublicKey): Promise<void>;
}

/** Keeps the counts in memory: a restart forgets them, and clients fetch theirs again. */
export function createMemoryNonceStore(): NonceStore {
  const counts = new Map<PublicKey, bigint>();
  return {
    next: (key) => Promise.resolve(counts.get(key) ?? 0n),
    advance: (key) => {
      counts.set(key, (counts.get(key) ?? 0n) + 1n);
      return Promise.resolve();
    },
  };
}

/** Keeps the counts in the table `nonces (public_key TEXT PRIMARY KEY, next_nonce INTEGER)`, which a migration of the service makes. */
export function createSqlNonceStore(database: SqlDatabase): NonceStore {
  const select = database.prepare("SELECT next_nonce FROM nonces WHERE public_key = ?");
  const count = database.prepare(
    "INSERT INTO nonces (public_key, next_nonce) VALUES (?, 1)" +
      " ON CONFLICT (public_key) DO UPDATE SET next_nonce = next_nonce + 1",
  );
  return {
    next: async (key) => ((await select.get(key))?.["next_nonce"] ?? 0n) as bigint,
    advance: async (key) => void await count.run(key),
  };
}
