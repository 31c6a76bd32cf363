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

commandTest("skywire proxy connect says how the connection is kept", async ({ b, run, json }) => {
  const how = ["--standby", "--routes", "2", "--pin"];
  const { proxy } = await json("proxy", "connect", b.publicKey, "--listen", "127.0.0.1:0", ...how);
  assert.deepEqual([proxy.standby, proxy.routes, proxy.pin], [1, 2, true]);
  const { proxies: [kept] } = await json("proxy", "ls");
  assert.deepEqual([kept.standby, kept.routes, kept.pin], [1, 2, true]);
  const both = await run("proxy", "connect", b.publicKey, "--standby", "--path", b.publicKey);
  assert.equal(both.code, 2);
  assert.match(both.err, /--path/);
  assert.equal((await run("proxy", "connect", b.publicKey, "--routes", "5")).code, 2);
});

commandTest("skywire proxy connect refuses the visor's own key, and keeps nothing", async ({ a, run, json }) => {
  const { code, out, err } = await run("proxy", "connect", a.publicKey.slice(0, 12));
  assert.equal(code, 1);
  assert.match(out + err, /this visor's own/);
  assert.deepEqual((await json("proxy", "ls")).proxies, []);
});

commandTest("skywire proxy serve says who may use it and where it goes", async ({ b, run }) => {
  assert.match((await run("proxy", "serve")).out, /who +every visor of this network.*\nwhere +the public internet;/);
  const narrow = ["--passcode", "swordfish", "--allow", b.publicKey, "--destinations", "10.9.0.0/24"];
  const { out } = await run("proxy", "serve", ...narrow);
  assert.match(out, new RegExp(`who +${b.publicKey}\n +and only with the passcode\nwhere +10\\.9\\.0\\.0/24;`));
  assert.ok(!out.includes("swordfish"));
  assert.ok(out.split("\n").every((line) => line.length <= 80));
});

commandTest(
  "events tell whom the proxy server refused, a few for each visor and minute",
  async ({ sim, a, b, run, json }) => {
    await json("proxy", "serve", "--allow", a.publicKey);
    const stop = new AbortController();
    const told: unknown[] = [];
    const listening = (async () => {
      for await (const event of a.events({ signal: stop.signal })) {
        if (event.type === "proxy-refused") {
          told.push(event.refusal);
        }
      }
    })();
    const refuse = async (): Promise<void> => {
      const link = await sim.run(b.dial(a.publicKey, 3));
      await sim.run(100);
      link.close();
    };
    for (let i = 0; i < 8; i++) await refuse();
    assert.deepEqual(told, Array(5).fill({ remote: b.publicKey, why: "key" }));
    await sim.run(60_000);
    await refuse();
    assert.deepEqual(told.slice(5), [{ remote: b.publicKey, why: "key", leftOut: 3 }]);
    stop.abort();
    await listening;
    assert.equal((await run("proxy", "rm", "proxy-server")).code, 0);
  },
);
