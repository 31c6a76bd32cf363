import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { migrate, openSqlite } from "../../lib/storage/mod.ts";

Deno.test("no acknowledged write is lost when the process is killed with -9", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a.sqlite`;
    const writer = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", fileURLToPath(new URL("writer.ts", import.meta.url)), path],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let said = "";
    let killed = false;
    for await (const text of writer.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (killed || said.split("\n").length <= 500) continue;
      killed = true;
      writer.kill("SIGKILL");
    }
    await writer.status;
    const acknowledged = said.split("\n").slice(0, -1).map(BigInt);

    await using database = openSqlite(path);
    await migrate(database, ["unused: the tables are there"]);
    const rows = await database.prepare("SELECT n FROM numbers ORDER BY n").all();
    assert.ok(acknowledged.length >= 500);
    assert.deepEqual(rows.slice(0, acknowledged.length).map(({ n }) => n), acknowledged);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
