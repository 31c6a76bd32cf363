import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { hasCode } from "../../lib/errors/mod.ts";
import { migrate, openDatabase, openSqlite } from "../../lib/storage/mod.ts";

const NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";

/** Runs a test in a folder of its own. */
function folderTest(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await test(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

folderTest("openSqlite() makes the file with mode 0600, its side files too", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  for await (const { name } of Deno.readDir(folder)) {
    const { mode } = await Deno.stat(`${folder}/${name}`);
    assert.equal((mode ?? 0) & 0o777, 0o600, name);
  }
});

folderTest("openSqlite() finds what was written before", async (folder) => {
  const path = `${folder}/a.sqlite`;
  {
    await using database = openSqlite(path);
    await migrate(database, [NOTES]);
    assert.equal(await database.prepare("INSERT INTO notes (text) VALUES (?)").run("hello"), 1);
  }
  await using database = openSqlite(path);
  await migrate(database, [NOTES]);
  assert.deepEqual({ ...await database.prepare("SELECT * FROM notes").get() }, { id: 1n, text: "hello" });
});

folderTest("a statement gives integers as bigint, undefined for no row, and all rows in order", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  const insert = database.prepare("INSERT INTO notes (id, text) VALUES (?, ?)");
  await insert.run(9007199254740993n, "beyond 2^53");
  await insert.run(1, "one");
  assert.deepEqual((await database.prepare("SELECT id FROM notes ORDER BY id").all()).map(({ id }) => id), [
    1n,
    9007199254740993n,
  ]);
  assert.equal(await database.prepare("SELECT * FROM notes WHERE id = ?").get(7), undefined);
});

folderTest("a transaction applies all of its writes or none", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  const statement = database.prepare("INSERT INTO notes (id, text) VALUES (?, ?)");
  const count = database.prepare("SELECT count(*) AS n FROM notes");
  const changed = await database.transaction([
    { statement, parameters: [1, "a"] },
    { statement, parameters: [2, "b"] },
  ]);
  assert.deepEqual(changed, [1, 1]);
  await assert.rejects(database.transaction([
    { statement, parameters: [3, "c"] },
    { statement, parameters: [1, "again"] },
  ]));
  assert.equal((await count.get())?.["n"], 2n);
});

folderTest("migrate() applies what is missing, in order, once", async (folder) => {
  const more = "ALTER TABLE notes ADD COLUMN author TEXT";
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  assert.equal(await database.schemaVersion(), 1);
  await migrate(database, [NOTES, more]);
  await migrate(database, [NOTES, more]);
  assert.equal(await database.schemaVersion(), 2);
  await database.prepare("INSERT INTO notes (text, author) VALUES (?, ?)").run("t", "me");
});

folderTest("migrate() leaves the tables as they were when a script fails half-way", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  await assert.rejects(
    migrate(database, [NOTES, "CREATE TABLE half (id INTEGER); CREATE TABLE notes (id INTEGER)"]),
    (error) => hasCode(error, "storage/failed"),
  );
  assert.equal(await database.schemaVersion(), 1);
  await migrate(database, [NOTES, "CREATE TABLE half (id INTEGER)"]);
});

folderTest("migrate() refuses tables newer than it knows", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  for (const version of [2, 7]) {
    await database.exec(`PRAGMA user_version = ${version}`);
    await assert.rejects(migrate(database, [NOTES]), (error) => hasCode(error, "storage/newer-schema"));
    assert.equal(await database.schemaVersion(), version);
  }
});

folderTest("openSqlite() refuses a file that is no database, and leaves it as it is", async (folder) => {
  const path = `${folder}/a.sqlite`;
  await Deno.writeTextFile(path, "no database".repeat(500));
  assert.throws(() => openSqlite(path), (error) => hasCode(error, "storage/corrupt"));
  assert.equal(await Deno.readTextFile(path), "no database".repeat(500));
});

folderTest("openSqlite() refuses a damaged database, and leaves it as it is", async (folder) => {
  const path = `${folder}/a.sqlite`;
  {
    await using database = openSqlite(path);
    await migrate(database, [NOTES]);
    const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
    for (let i = 0; i < 200; i++) await insert.run("x".repeat(100));
  }
  const bytes = await Deno.readFile(path);
  bytes.fill(0xaa, 4096 + 8, 8192);
  await Deno.writeFile(path, bytes);
  assert.throws(() => openSqlite(path), (error) => hasCode(error, "storage/corrupt"));
  assert.deepEqual(await Deno.readFile(path), bytes);
});

folderTest("openSqlite() says so when the file cannot be made", async (folder) => {
  assert.throws(() => openSqlite(`${folder}/missing/a.sqlite`), (error) => hasCode(error, "storage/open-failed"));
  assert.throws(() => openSqlite(folder), { code: "storage/open-failed", message: /it is a folder/ });
  await Promise.resolve();
});

folderTest("a full disk is a clear error, and the rows before it stay", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
  await insert.run("first");
  // What the engine does at this limit is what it does when the disk is full.
  await database.exec("PRAGMA max_page_count = 3");
  await assert.rejects(insert.run("x".repeat(100_000)), (error) => hasCode(error, "storage/full"));
  const script = "CREATE TABLE IF NOT EXISTS more (bytes BLOB); INSERT INTO more VALUES (zeroblob(100000))";
  for (const write of [() => database.exec(script), () => database.applyMigration(2, script)]) {
    await assert.rejects(write, (error) => hasCode(error, "storage/full"));
  }
  assert.equal((await database.prepare("SELECT count(*) AS n FROM notes").get())?.["n"], 1n);
});

folderTest("a database that refuses writes is a clear error", async (folder) => {
  await using database = openSqlite(`${folder}/a.sqlite`);
  await migrate(database, [NOTES]);
  await database.exec("PRAGMA query_only = ON");
  await assert.rejects(
    database.prepare("INSERT INTO notes (text) VALUES ('x')").run(),
    (error) => hasCode(error, "storage/read-only"),
  );
});

folderTest("a closed database says so; closing twice is harmless", async (folder) => {
  const database = openSqlite(`${folder}/a.sqlite`);
  const version = database.prepare("SELECT 1");
  await database.close();
  await database.close();
  await assert.rejects(version.get(), (error) => hasCode(error, "storage/closed"));
});

folderTest("two databases on one file see each other's writes", async (folder) => {
  await using one = openSqlite(`${folder}/a.sqlite`);
  await migrate(one, [NOTES]);
  await using two = openSqlite(`${folder}/a.sqlite`);
  await migrate(two, [NOTES]);
  await one.prepare("INSERT INTO notes (text) VALUES ('from one')").run();
  assert.equal((await two.prepare("SELECT text FROM notes").get())?.["text"], "from one");
});

folderTest("openDatabase() understands sqlite: and memory:, and nothing else", async (folder) => {
  assert.equal(openDatabase("memory:"), undefined);
  await openDatabase(`sqlite:${folder}/a.sqlite`)?.close();
  for (const bad of ["sqlite:", "mysql://x", ""]) {
    assert.throws(() => openDatabase(bad), (error) => hasCode(error, "storage/unknown-location"));
  }
});

folderTest("a database is written ahead: a reader does not wait for a writer", async (folder) => {
  await using one = openSqlite(`${folder}/a.sqlite`);
  await migrate(one, [NOTES]);
  assert.equal((await one.prepare("PRAGMA journal_mode").get())?.["journal_mode"], "wal");
  assert.equal((await one.prepare("PRAGMA synchronous").get())?.["synchronous"], 1n);
  assert.equal((await one.prepare("PRAGMA foreign_keys").get())?.["foreign_keys"], 1n);
  await using two = openSqlite(`${folder}/a.sqlite`);
  await one.exec("BEGIN IMMEDIATE; INSERT INTO notes (text) VALUES ('unfinished')");
  assert.equal((await two.prepare("SELECT count(*) AS n FROM notes").get())?.["n"], 0n);
  await one.exec("ROLLBACK");
});

folderTest("a write waits for another one, and nothing else in the process waits with it", async (folder) => {
  await using one = openSqlite(`${folder}/a.sqlite`);
  await migrate(one, [NOTES]);
  await using two = openSqlite(`${folder}/a.sqlite`);
  await one.exec("BEGIN IMMEDIATE");
  let isWritten = false;
  const writing = two.prepare("INSERT INTO notes (text) VALUES ('later')").run().then(() => isWritten = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isWritten, false, "the event loop goes on");
  await one.exec("COMMIT");
  await writing;
});

folderTest("a database of another service is refused by name, and left as it is", async (folder) => {
  const path = `${folder}/a.sqlite`;
  await openSqlite(path, { owner: "address-resolver" }).close();
  await openSqlite(path, { owner: "address-resolver" }).close();
  const before = await Deno.readFile(path);
  assert.throws(() => openSqlite(path, { owner: "transport-discovery" }), {
    code: "storage/other-owner",
    message: `Use the database "${path}": it belongs to the address-resolver service; name another file`,
  });
  assert.deepEqual(await Deno.readFile(path), before);
  await openSqlite(path).close();
});

folderTest(
  "a database of another program is refused and left as it is; one of ours without a mark is taken",
  async (folder) => {
    const make = (name: string, script: string): string => {
      using database = new DatabaseSync(`${folder}/${name}`);
      database.exec(script);
      return `${folder}/${name}`;
    };
    const foreign = [
      make("browser", "CREATE TABLE history (url TEXT); PRAGMA user_version = 3"),
      make("namesake", "CREATE TABLE entries (text TEXT)"),
      make("marked", "PRAGMA application_id = 252006675"),
    ];
    for (const path of foreign) {
      const before = await Deno.readFile(path);
      assert.throws(() => openSqlite(path, { owner: "messaging-discovery" }), { code: "storage/other-owner" });
      assert.deepEqual(await Deno.readFile(path), before);
    }
    const ours = make("ours", "CREATE TABLE entries (text TEXT); PRAGMA user_version = 1");
    assert.throws(() => openSqlite(ours, { owner: "transport-discovery" }), { code: "storage/other-owner" });
    await openSqlite(ours, { owner: "messaging-discovery" }).close();
  },
);

folderTest(
  "discard() removes a file that was made, and none that was there or that somebody else uses",
  async (folder) => {
    const path = `${folder}/a.sqlite`;
    const names = (): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name);
    const refused = openSqlite(path);
    await migrate(refused, [NOTES]);
    await refused.discard();
    assert.deepEqual(names(), []);
    const shared = openSqlite(path);
    await migrate(shared, [NOTES]);
    await using other = openSqlite(path);
    await other.prepare("INSERT INTO notes (text) VALUES ('kept')").run();
    await shared.discard();
    await shared.discard();
    await (openSqlite(path)).discard();
    assert.equal((await other.prepare("SELECT text FROM notes").get())?.["text"], "kept");
    await other.close();
    assert.deepEqual(names(), ["a.sqlite"]);
  },
);

Deno.test({
  name: "what is no file is no database, and is not waited for",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert.throws(() => openSqlite(`${folder}/pipe`), { code: "storage/open-failed", message: /it is no file/ });
    await Deno.remove(folder, { recursive: true });
  },
});
