/**
 * The port to a SQL engine. It is asynchronous although SQLite is not: so the same stores work on an engine in the process
 * and on one across a network. There are no interactive transactions. A list of writes is applied as a whole. A write that
 * depends on a read states it in its own SQL (`… WHERE sequence IS ?`). So none of our code runs between the statements of
 * a transaction, on any engine.
 */

/** A value of a column or parameter. Integers always come back as bigint, so no digits are lost. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A row by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A statement kept ready for repeated use. Parameters stand for its `?`, in order. */
export interface SqlStatement {
  /**
   * Reads the first row; undefined when there is none.
   * @throws {UnavailableError} as {@link SqlDatabase}
   */
  get(...parameters: readonly SqlValue[]): Promise<SqlRow | undefined>;
  /**
   * Reads all rows.
   * @throws {UnavailableError} as {@link SqlDatabase}
   */
  all(...parameters: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /**
   * Runs a write. Once the result is there, the write survives the end of the process.
   * @returns how many rows it changed
   * @throws {UnavailableError} as {@link SqlDatabase}
   */
  run(...parameters: readonly SqlValue[]): Promise<number>;
}

/** One write of a {@link SqlDatabase.transaction}. */
export interface SqlStep {
  /** A statement that writes. */
  readonly statement: SqlStatement;
  /** The values of its `?`, in order. */
  readonly parameters: readonly SqlValue[];
}

/**
 * An open database. Every method throws {UnavailableError} when the engine fails, with the code
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
   * Brings the tables to a newer version.
   * @param version the version of the tables after the script, ≥ 1
   * @param script SQL; applied together with the version number, as a whole or not at all
   */
  applyMigration(version: number, script: string): Promise<void>;
  /** Reads the version of the tables; 0 for an empty database. */
  schemaVersion(): Promise<number>;
  /** Closes the database. Harmless when repeated. */
  close(): Promise<void>;
  /** Closes it, and removes its file if opening it made that and nobody else uses it: for a start that failed. */
  discard(): Promise<void>;
}
