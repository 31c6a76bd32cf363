/**
 * The SQLite engine, on `node:sqlite`.
 *
 * The write-ahead log is on, so readers never wait for a writer, and `synchronous` is NORMAL: a write is acknowledged
 * when it is in the log file. That survives the death of the process, `kill -9` included, because the log is in the
 * hands of the operating system by then; only a power cut can lose the last writes, and even then the file is whole.
 * What a power cut can lose are entries that their owners publish again, which is not worth a disk flush per request.
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { hasCode, SkywireError, UnavailableError } from "../errors/mod.ts";
import { type DatabaseOwner, markOf, otherOwner } from "./owner.ts";
import type { SqlDatabase, SqlRow, SqlStatement, SqlStep, SqlValue } from "./sql_database.ts";

/** How long a write waits for another process that writes, ms. */
const BUSY_TIMEOUT_MS = 5_000;

/** It asks as often meanwhile, ms: to wait within SQLite would stop everything else in this process. */
const BUSY_RETRY_MS = 10;

/** Only the owner may read: entries are public, nonces are not. SQLite gives its side files the mode of the main one. */
const FILE_MODE = 0o600;

/** SQLite's name for a database without a file. */
const IN_MEMORY = ":memory:";

/** Codes by the text of SQLite, since the engine's `exec` gives no other (Deno 2.9.6). */
const CODE_BY_TEXT: Readonly<Record<string, number>> = {
  "database is locked": 5,
  "attempt to write a readonly database": 8,
  "database disk image is malformed": 11,
  "database or disk is full": 13,
  "unable to open database file": 14,
  "file is not a database": 26,
};

/**
 * Opens a database file, which is made with mode 0600 when it is missing. What is refused is left as it is.
 * @param path the file, whose folder must exist; `:memory:` for a database that is gone when it is closed, for tests
 * @param options `owner`: the service that uses it; without one, any database will do
 * @throws {UnavailableError} `storage/corrupt` when it is no database or a damaged one, `storage/read-only` when it
 * cannot be written, `storage/full` when there is no room to begin, `storage/open-failed` when it cannot be opened at all,
 * `storage/other-owner` when it belongs to another service or program
 */
export function openSqlite(path: string, options: { readonly owner?: DatabaseOwner } = {}): SqlDatabase {
  const { database, isNew } = openFile(path);
  try {
    return new SqliteDatabase(database, { path, isNew, ...options });
  } catch (error) {
    closeFile(database, { path, isDiscarded: isNew });
    throw error;
  }
}

function openFile(path: string): { readonly database: DatabaseSync; readonly isNew: boolean } {
  try {
    const isNew = path !== IN_MEMORY && createPrivately(path);
    // Nothing else goes on yet, so opening may wait.
    return { database: new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS }), isNew };
  } catch (cause) {
    if (cause instanceof SkywireError) throw cause;
    const why = cause instanceof Deno.errors.NotFound ? ": its folder does not exist" : "";
    throw new UnavailableError("storage/open-failed", `Open the database "${path}"${why}`, {
      cause,
      details: { path },
    });
  }
}

/** SQLite would make the file with the mode of the umask. @returns whether it was made */
function createPrivately(path: string): boolean {
  const fail = (code: string, why: string, cause?: unknown): UnavailableError =>
    new UnavailableError(code, `Open the database "${path}": ${why}`, { cause, details: { path } });
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: FILE_MODE }).close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // A pipe would be waited for.
  const { isFile, isDirectory } = Deno.statSync(path);
  if (!isFile) throw fail("storage/open-failed", `it is ${isDirectory ? "a folder" : "no file"}`);
  try {
    // SQLite would notice too, but leave its side files behind.
    Deno.openSync(path, { write: true }).close();
  } catch (cause) {
    throw fail("storage/read-only", "it cannot be written", cause);
  }
  return false;
}

/** @param options `isDiscarded`: remove the file, unless somebody else uses it already */
function closeFile(database: DatabaseSync, options: { readonly path: string; readonly isDiscarded: boolean }): void {
  const { path, isDiscarded } = options;
  const isOurs = isDiscarded && isUsedByNobodyElse(database);
  database.close();
  if (isOurs) Deno.removeSync(path);
}

/** Only the one connection to a database can take it out of the mode with a write-ahead log. */
function isUsedByNobodyElse(database: DatabaseSync): boolean {
  try {
    database.exec("PRAGMA busy_timeout = 0");
    return database.prepare("PRAGMA journal_mode = DELETE").get()?.["journal_mode"] === "delete";
  } catch {
    return false;
  }
}

class SqliteDatabase implements SqlDatabase {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #isNew: boolean;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  constructor(
    database: DatabaseSync,
    options: { readonly path: string; readonly isNew: boolean; readonly owner?: DatabaseOwner },
  ) {
    const { path, isNew, owner } = options;
    this.#database = database;
    this.#path = path;
    this.#isNew = isNew;
    this.#guard(() => {
      // Before anything is written: a damaged file must not be damaged further, and that of others not at all.
      const [check] = database.prepare("PRAGMA quick_check(1)").all();
      if (Object.values(check ?? {})[0] !== "ok") throw this.#corrupt(undefined);
      if (owner !== undefined) this.#checkOwner(owner);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
      // A file that cannot be written is noticed now, not with the first registration.
      database.exec("BEGIN IMMEDIATE; PRAGMA user_version = user_version; ROLLBACK");
      if (owner !== undefined) database.exec(`PRAGMA application_id = ${markOf(owner)}`);
      database.exec("PRAGMA busy_timeout = 0");
    });
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  prepare(sql: string): SqlStatement {
    const statement = this.#guard(() => this.#database.prepare(sql));
    statement.setReadBigInts(true);
    return new SqliteStatement(statement, (work) => this.#guard(work));
  }

  async exec(sql: string): Promise<void> {
    await whenFree(() => this.#guard(() => this.#database.exec(sql)));
  }

  async transaction(steps: readonly SqlStep[]): Promise<readonly number[]> {
    return await whenFree(() =>
      this.#whole(() => steps.map(({ statement, parameters }) => runOf(statement, parameters)))
    );
  }

  async applyMigration(version: number, script: string): Promise<void> {
    await whenFree(() =>
      this.#whole(() => {
        this.#database.exec(script);
        this.#database.exec(`PRAGMA user_version = ${Math.trunc(version)}`);
      })
    );
  }

  async schemaVersion(): Promise<number> {
    return await whenFree(() => this.#guard(() => this.#number("user_version")));
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  // deno-lint-ignore require-await
  async discard(): Promise<void> {
    if (this.#database.isOpen) closeFile(this.#database, { path: this.#path, isDiscarded: this.#isNew });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #number(pragma: string): number {
    return Number(this.#database.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
  }

  #checkOwner(owner: DatabaseOwner): void {
    const tables = this.#database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const other = otherOwner(owner, {
      mark: this.#number("application_id"),
      version: this.#number("user_version"),
      tables: tables.map(({ name }) => String(name)),
    });
    if (other === undefined) return;
    throw this.#unavailable("storage/other-owner", `it belongs to ${other}; name another file`, undefined);
  }

  #whole<T>(work: () => T): T {
    return this.#guard(() => {
      this.#begin.run();
      try {
        const result = work();
        this.#commit.run();
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** Runs work on the engine; its errors become ours. */
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof SkywireError || !(error instanceof Error)) throw error;
      throw this.#failure(error);
    }
  }

  #failure(cause: Error): UnavailableError {
    const code = (cause as { readonly errcode?: number }).errcode ?? CODE_BY_TEXT[cause.message] ?? 0;
    // The low byte is the primary result code of SQLite.
    switch (code & 0xff) {
      case 5:
      case 6:
        return this.#unavailable("storage/busy", "another process keeps it locked", cause);
      case 8:
        return this.#unavailable("storage/read-only", "it cannot be written", cause);
      case 11:
      case 26:
        return this.#corrupt(cause);
      case 13:
        return this.#unavailable("storage/full", "the disk is full", cause);
      case 14:
        // The file itself was opened before: it is the log beside it that cannot be made.
        return this.#unavailable("storage/read-only", "its folder cannot be written", cause);
    }
    if (!this.#database.isOpen) return this.#unavailable("storage/closed", "it is closed", cause);
    return this.#unavailable("storage/failed", "the engine failed", cause);
  }

  #corrupt(cause: Error | undefined): UnavailableError {
    return this.#unavailable(
      "storage/corrupt",
      "it is no database, or a damaged one; restore it, or move it away",
      cause,
    );
  }

  #unavailable(code: string, why: string, cause: Error | undefined): UnavailableError {
    return new UnavailableError(code, `Use the database "${this.#path}": ${why}`, {
      details: { path: this.#path },
      cause,
    });
  }
}

class SqliteStatement implements SqlStatement {
  readonly #statement: StatementSync;
  readonly #guard: <T>(work: () => T) => T;

  constructor(statement: StatementSync, guard: <T>(work: () => T) => T) {
    this.#statement = statement;
    this.#guard = guard;
  }

  async get(...parameters: readonly SqlValue[]): Promise<SqlRow | undefined> {
    return await whenFree(() => this.#guard(() => this.#statement.get(...parameters as SQLInputValue[]))) as
      | SqlRow
      | undefined;
  }

  async all(...parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const rows = await whenFree(() => this.#guard(() => this.#statement.all(...parameters as SQLInputValue[])));
    return rows as unknown as readonly SqlRow[];
  }

  async run(...parameters: readonly SqlValue[]): Promise<number> {
    return await whenFree(() => this.runNow(parameters));
  }

  /** For transactions, which must not give way between their steps. */
  runNow(parameters: readonly SqlValue[]): number {
    return Number(this.#guard(() => this.#statement.run(...parameters as SQLInputValue[])).changes);
  }
}

/** Does work that another process may keep from being done, again and again for a while. */
async function whenFree<T>(work: () => T): Promise<T> {
  const beganMs = performance.now();
  while (true) {
    try {
      return work();
    } catch (error) {
      if (!hasCode(error, "storage/busy") || performance.now() - beganMs > BUSY_TIMEOUT_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
  }
}

function runOf(statement: SqlStatement, parameters: readonly SqlValue[]): number {
  if (!(statement instanceof SqliteStatement)) throw new TypeError("The statement was prepared by another engine");
  return statement.runNow(parameters);
}
