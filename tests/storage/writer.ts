/** Writes rows one by one and says after each that it is written, until somebody kills it. */

import { migrate, openSqlite } from "../../lib/storage/mod.ts";

const database = openSqlite(Deno.args[0] as string);
await migrate(database, ["CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT"]);
const insert = database.prepare("INSERT INTO numbers (n) VALUES (?)");
for (let n = 1;; n++) {
  await insert.run(n);
  Deno.stdout.writeSync(new TextEncoder().encode(`${n}\n`));
}
