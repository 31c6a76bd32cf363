/**
 * Whose a database is. Each service marks its own with SQLite's `application_id`, so that a file named by mistake is
 * refused by name before anything is written to it. Tested in tests/storage/sqlite_test.ts.
 */

/** A service that keeps records in a database. */
export type DatabaseOwner = "messaging-discovery" | "transport-discovery" | "address-resolver" | "route-finder";

/** The number ends the mark, so it stays for ever. */
const NUMBERS: Readonly<Record<DatabaseOwner, number>> = {
  "messaging-discovery": 1,
  "transport-discovery": 2,
  "address-resolver": 3,
  "route-finder": 4,
};

/** A table that each made from the first version on, by which databases without a mark are known. */
const FIRST_TABLES: Readonly<Partial<Record<DatabaseOwner, string>>> = {
  "messaging-discovery": "entries",
  "transport-discovery": "transports",
  "address-resolver": "visors",
};

/** «skw», and the number of the service. */
const MARK = 0x736b7700;

/** The `application_id` of a service's database. */
export function markOf(owner: DatabaseOwner): number {
  return MARK + NUMBERS[owner];
}

/** What a database says of itself. */
export interface DatabaseState {
  /** SQLite's `application_id`; 0: none. */
  readonly mark: number;
  /** The version of the tables; 0: never migrated. */
  readonly version: number;
  /** Its tables. */
  readonly tables: readonly string[];
}

/** @returns whose it is instead, in words; undefined when the service may use it: it is its own, or empty */
export function otherOwner(owner: DatabaseOwner, { mark, version, tables }: DatabaseState): string | undefined {
  if (mark === markOf(owner)) return undefined;
  if (mark !== 0) {
    const other = Object.entries(NUMBERS).find(([, number]) => MARK + number === mark)?.[0];
    return other === undefined ? "another program" : `the ${other} service`;
  }
  if (tables.length === 0) return undefined;
  const table = FIRST_TABLES[owner];
  return version > 0 && table !== undefined && tables.includes(table) ? undefined : "another program or service";
}
