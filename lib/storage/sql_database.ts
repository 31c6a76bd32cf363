/**
 * The port to a SQL engine. It is asynchronous although SQLite is not, so that stores are written once for an engine in
 * the process and for one across a network. There are no interactive transactions: a list of writes is applied as a
 * whole, and a read that a write depends on is stated in the write itself (`… WHERE sequence IS ?`). So nothing of ours
 * can run between the statements of a transaction, on any engine.
 */

/** A value in a column or parameter. Integers always come back as bigint: no digits are lost on the way. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A row by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A statement kept ready for repeated use. Parameters stand for its `?`, in order. */
export interface SqlStatement {
  /** The first row, or undefined. @throws {UnavailableError} see {@link SqlDatabase} */
  get(...parameters: readonly SqlValue[]): Promise<SqlRow | undefined>;
  /** All rows. @throws {UnavailableError} see {@link SqlDatabase} */
  all(...parameters: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Runs a write; when the result is there it survives the end of the process. @returns how many rows it changed */
  run(...parameters: readonly SqlValue[]): Promise<number>;
}

/** One write of a {@link SqlDatabase.transaction}. */
export interface SqlStep {
  /** A write. */
  readonly statement: SqlStatement;
  /** For its `?`, in order. */
  readonly parameters: readonly SqlValue[];
}

/**
 * An open database. Every method throws {UnavailableError} with a code of `storage/…` when the engine fails:
 * `storage/read-only`, `storage/full`, `storage/corrupt`, `storage/busy`, `storage/closed`, `storage/failed`.
 */
export interface SqlDatabase extends AsyncDisposable {
  /** Prepares a statement. The caller keeps it: preparing costs more than running. */
  prepare(sql: string): SqlStatement;
  /** Runs a script of several statements without parameters. */
  exec(sql: string): Promise<void>;
  /**
   * Applies all writes or none of them.
   * @returns how many rows each changed, in order
   */
  transaction(steps: readonly SqlStep[]): Promise<readonly number[]>;
  /**
   * Brings the tables to the newest version, see {@link migrate}.
   * @param version what the tables are after the script, ≥ 1
   * @param script applied as a whole or not at all, together with the version number
   */
  applyMigration(version: number, script: string): Promise<void>;
  /** The version of the tables; 0 for an empty database. */
  schemaVersion(): Promise<number>;
  /** Closes it. Harmless when repeated. */
  close(): Promise<void>;
  /** Closes it, and removes its file if opening it made that and nobody else uses it: for a start that failed. */
  discard(): Promise<void>;
}
