import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire status tells who the visor is, and how each part does", async ({ a, run, json }) => {
  const { publicKey, uptimeSeconds, healthy, checks } = await json("status");
  assert.deepEqual([publicKey, healthy, typeof uptimeSeconds], [a.publicKey, true, "number"]);
  assert.ok(checks.length > 0);
  for (const check of checks) assert.deepEqual([check.state, typeof check.detail], ["ok", "string"], check.name);
  const { out } = await run("status");
  assert.ok(out.startsWith(`visor    ${a.publicKey}\nversion `), out);
  assert.equal(out.split("\n").filter((line) => line.startsWith("ok ")).length, checks.length);
});
