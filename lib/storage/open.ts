/** Which database a location names: what operators write after `--db`. Tested in tests/e2e/services_test.ts. */

import { RefusedError } from "../errors/mod.ts";
import type { DatabaseOwner } from "./owner.ts";
import type { SqlDatabase } from "./sql_database.ts";
import { openSqlite } from "./sqlite.ts";

const SQLITE = /^sqlite:(.+)$/;

/** Does {@link openDatabase} understand the location? */
export function isDatabaseLocation(location: string): boolean {
  return location === "memory:" || SQLITE.test(location);
}

/**
 * Opens the database of a location.
 * @param location `sqlite:FILE` or `memory:`
 * @param owner the service that uses it
 * @returns the database, to be closed by the caller; undefined for `memory:`, which services understand as: keep
 * everything in memory
 * @throws {RefusedError} `storage/unknown-location` for anything else
 * @throws {UnavailableError} as {@link openSqlite}
 */
export function openDatabase(location: string, owner?: DatabaseOwner): SqlDatabase | undefined {
  if (location === "memory:") return undefined;
  const [, path] = SQLITE.exec(location) ?? [];
  if (path !== undefined) return openSqlite(path, owner === undefined ? {} : { owner });
  throw new RefusedError(
    "storage/unknown-location",
    `Open the database "${location}": wanted "sqlite:FILE" or "memory:"`,
    { details: { location } },
  );
}
