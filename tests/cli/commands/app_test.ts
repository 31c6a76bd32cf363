import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire app lists, stops and starts the visor's apps", async ({ run, json }) => {
  assert.match((await run("app", "ls")).out, /no apps/);
  await json("proxy", "serve");
  const { apps: [app] } = await json("app", "ls");
  assert.deepEqual(Object.keys(app).sort(), ["name", "port", "restarts", "since", "state"]);
  assert.deepEqual([app.name, app.port, app.state], ["proxy-server", 3, "running"]);

  assert.equal((await json("app", "stop", "proxy-server")).apps[0].state, "stopped");
  const { apps: [again] } = await json("app", "start", "proxy-server");
  assert.ok(["starting", "running"].includes(again.state));
  assert.match((await run("app", "ls")).out, /proxy-server +3 +running/);
});

commandTest("skywire app start says so when there is no such app", async ({ run }) => {
  const { code, err } = await run("app", "start", "banana");
  assert.equal(code, 1);
  assert.match(err, /banana/);
});
