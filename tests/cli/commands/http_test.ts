import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire http get prints what a visor answers at its key", async ({ b, run }) => {
  const { code, out } = await run("http", "get", `${b.publicKey}.sky/health`);
  assert.equal(code, 0);
  assert.ok("build_info" in JSON.parse(out));
  assert.equal((await run("http", "get", `${b.publicKey}.sky/nothing`, "--fail")).code, 1);
  assert.equal((await run("http", "get", "http://example.org/")).code, 2);
});

commandTest("skywire http get says so when a visor has no page", async ({ b, run }) => {
  assert.match((await run("http", "get", `${b.publicKey}.sky`)).out, /this visor serves no page here/);
});
