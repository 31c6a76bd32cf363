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
 * Opens a database.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDatabase } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const database = openDatabase(`sqlite:${folder}/transports.db`, "transport-discovery");
 * assert.equal(await database?.schemaVersion(), 0);
 * await database?.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param location `sqlite:FILE`, a file in a folder that exists; or `memory:`
 * @param owner the service that uses it; absent: any database will do
 * @returns the database, which the caller closes; undefined for `memory:`, since services without a database keep their
 * records in memory
 * @throws {RefusedError} `storage/unknown-location` for any other location
 * @throws {UnavailableError} `storage/corrupt` when the file is not a database or is damaged; `storage/read-only` when it
 * cannot be written; `storage/full` when there is no room; `storage/other-owner` when it belongs to another service or
 * program; `storage/open-failed` for any other reason
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
