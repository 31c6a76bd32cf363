import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire proxy serves, connects, lists and removes", async ({ b, run, json }) => {
  assert.match((await run("proxy", "ls")).out, /no proxies/);
  const { proxy: server } = await json("proxy", "serve", "--passcode", "swordfish", "--allow", b.publicKey);
  assert.deepEqual([server.id, server.role], ["proxy-server", "server"]);
  const { proxy: client } = await json("proxy", "connect", b.publicKey, "--listen", "127.0.0.1:0");
  assert.deepEqual([client.role, client.to], ["client", b.publicKey]);
  assert.match(client.listen, /^127\.0\.0\.1:\d+$/);
  assert.doesNotMatch(client.listen, /:0$/);

  const { proxies } = await json("proxy", "ls");
  assert.deepEqual(proxies.map(({ id }: { id: string }) => id).sort(), [client.id, server.id].sort());
  assert.deepEqual(await json("proxy", "rm", client.id), { removed: client.id });
  assert.equal((await json("proxy", "ls")).proxies.length, 1);
  const { code, err } = await run("proxy", "rm", client.id);
  assert.equal(code, 1);
  assert.ok(err.includes(client.id));
});
