/** What `Visor` shows of its capabilities, used as an embedder uses it: two visors in memory. */

import assert from "node:assert/strict";
import { createNetwork, createVisor, type Visor } from "../../mod.ts";
import { sleep } from "../../lib/runtime/mod.ts";
import type { Simulation } from "../../lib/simulation/mod.ts";

/** Transports are listed in the background, virtual ms. */
const LISTED_WITHIN_MS = 2_000;

const code = (expected: string) => (error: unknown): boolean => (error as { code?: string }).code === expected;

function facetTest(name: string, test: (world: { network: Simulation; a: Visor; b: Visor }) => Promise<void>): void {
  Deno.test(name, async () => {
    const network = createNetwork();
    const a = await network.run(createVisor({ network, data: "a" }));
    const b = await network.run(createVisor({ network, data: "b", join: a.ticket }));
    await test({ network, a, b });
    for (const visor of [b, a]) await network.run(async () => await visor[Symbol.asyncDispose]());
  });
}

facetTest("visor.transports lists what it has, and removes what is asked for", async ({ network, a, b }) => {
  assert.deepEqual(a.transports.list(), []);
  const added = await network.run(a.transports.add(b.publicKey, { kind: "dmsg" }));
  assert.deepEqual([added.type, added.remote, added.up], ["dmsg", b.publicKey, true]);
  assert.deepEqual(a.transports.list().map(({ id }) => id), [added.id]);
  await network.run(sleep(network.runtimeFor("a").timers, LISTED_WITHIN_MS));
  const all = await network.run(a.transports.network());
  assert.deepEqual(all.map(({ id, edges }) => [id, [...edges].sort()]), [
    [added.id, [a.publicKey, b.publicKey].sort()],
  ]);
  assert.equal(await network.run(a.transports.remove(added.id.slice(0, 8))), added.id);
  assert.deepEqual(a.transports.list(), []);
  await assert.rejects(network.run(a.transports.remove(added.id)), code("transport/not-found"));
});

facetTest("visor.routes finds, explains, pings, measures and lists rules", async ({ network, a, b }) => {
  const ping = await network.run(a.routes.ping(b.publicKey, { count: 2 }));
  assert.equal(ping.rttMs.length, 2);
  const way = [a.publicKey, b.publicKey];
  const [found] = await network.run(a.routes.find(b.publicKey));
  assert.deepEqual(found?.visors, way);
  const [explained] = await network.run(a.routes.explain(b.publicKey));
  assert.deepEqual([explained?.visors, explained?.chosen], [way, true]);
  const bench = await network.run(a.routes.bench(b.publicKey, { seconds: 0.1 }));
  assert.deepEqual(bench.visors, way);
  assert.ok(Array.isArray(a.routes.rules()));
});

facetTest("visor.proxies sets up what visor.apps runs", async ({ network, a }) => {
  const server = await network.run(a.proxies.add({ role: "server", allow: [], destinations: ["public"] }));
  assert.deepEqual(a.proxies.list().map(({ id }) => id), [server.id]);
  assert.deepEqual(a.apps.list().map(({ name, state }) => [name, state]), [[server.id, "running"]]);
  await network.run(a.apps.stop(server.id));
  assert.equal(a.apps.list()[0]?.state, "stopped");
  await network.run(a.apps.start(server.id));
  assert.equal(a.apps.list()[0]?.state, "running");
  await assert.rejects(network.run(a.apps.stop("banana")), code("app/unknown"));
  await network.run(a.proxies.remove(server.id));
  assert.deepEqual([a.proxies.list(), a.apps.list()], [[], []]);
  await assert.rejects(network.run(a.proxies.remove(server.id)), code("proxy/not-found"));
});

facetTest("visor.proxies takes visors by name and by the first digits of their keys", async ({ network, a, b }) => {
  await network.run(a.names.set("mira", b.publicKey));
  const allow = [b.publicKey.slice(0, 8), "mira"];
  await network.run(a.proxies.add({ role: "server", allow, destinations: ["public"] }));
  const client = { role: "client", listen: "127.0.0.1:0", to: "mira", path: [b.publicKey.slice(0, 8)] } as const;
  await network.run(a.proxies.add(client));
  const views = a.proxies.list();
  assert.deepEqual(views.map(({ to }) => to), [undefined, b.publicKey]);
  const unknown = a.proxies.add({ ...client, to: "nobody" });
  await assert.rejects(network.run(unknown), code("visor/unknown-name"));
  for (const { id } of views) await network.run(a.proxies.remove(id));
});

facetTest("visor.names names keys, also for visor.http", async ({ network, a, b }) => {
  await network.run(a.names.set("mira", b.publicKey));
  assert.deepEqual(a.names.list(), [{ name: "mira", publicKey: b.publicKey, from: "user" }]);
  assert.deepEqual([a.names.keyOf("mira"), a.names.keyOf("nobody")], [b.publicKey, undefined]);
  const answer = await network.run(a.http.fetch(new Request("http://mira.sky/health")));
  assert.equal(answer.status, 200);
  await network.run(answer.body?.cancel() ?? Promise.resolve());
  await network.run(a.names.remove("mira"));
  assert.deepEqual(a.names.list(), []);
  await assert.rejects(network.run(a.names.remove("mira")), code("name/not-found"));
});

facetTest("visor.status() names each part, and how it does", async ({ network, a }) => {
  const { publicKey, healthy, checks } = await network.run(async () => await a.status());
  assert.deepEqual([publicKey, healthy], [a.publicKey, true]);
  assert.ok(checks.every(({ state }) => state === "ok"), JSON.stringify(checks));
});
