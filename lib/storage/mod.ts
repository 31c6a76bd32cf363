/**
 * SQL for the services that keep records: the port, the SQLite engine, and migrations.
 *
 * @module
 */
export * from "./migrations.ts";
export * from "./open.ts";
export type { DatabaseOwner } from "./owner.ts";
export * from "./sql_database.ts";
export * from "./sqlite.ts";
