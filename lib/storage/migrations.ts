/**
 * Brings a database to the newest tables. Migrations are numbered SQL files; each runs once, as a whole, and the number
 * reached is kept in the database. A migration must leave tables that the program before it can still work with, so that
 * a deployment can be rolled back; a program that finds newer tables than it knows refuses to touch them.
 * Tested in tests/storage/sqlite_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import type { SqlDatabase } from "./sql_database.ts";

/**
 * Applies the migrations that are missing.
 * @param database open
 * @param scripts the content of `0001_….sql`, `0002_….sql` … in order, without gaps
 * @throws {UnavailableError} `storage/newer-schema` when the database was written by a newer program; else as
 * {@link SqlDatabase}
 */
export async function migrate(database: SqlDatabase, scripts: readonly string[]): Promise<void> {
  const version = await database.schemaVersion();
  if (version > scripts.length) {
    throw new UnavailableError(
      "storage/newer-schema",
      `Open the database: its tables have version ${version}, this program knows up to ${scripts.length}; ` +
        "use a newer program or another file",
      { details: { version, known: scripts.length } },
    );
  }
  for (let next = version + 1; next <= scripts.length; next++) {
    await database.applyMigration(next, scripts[next - 1] as string);
  }
}
