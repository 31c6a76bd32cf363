import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire route find and explain show paths, and which one is chosen", async ({ a, b, run, json }) => {
  await json("ping", b.publicKey, "--count", "1");
  const way = [a.publicKey, b.publicKey];
  const { routes: [route] } = await json("route", "find", b.publicKey);
  assert.deepEqual([route.hops, route.visors, route.transports.length], [1, way, 1]);
  assert.match((await run("route", "find", b.publicKey, "--metric", "latency")).out, /^HOPS.*\n1 /);

  const { candidates: [candidate] } = await json("route", "explain", b.publicKey);
  assert.deepEqual([candidate.visors, candidate.chosen], [way, true]);
  assert.ok(candidate.reason.length > 0);
  assert.match((await run("route", "explain", b.publicKey)).out, /^[0-9a-f]{8} → .*\n.*1 hop, .*\n +chosen: /);
});

commandTest("skywire route find says so when no path is as asked for", async ({ b, run, json }) => {
  await json("ping", b.publicKey, "--count", "1");
  const { code, out } = await run("route", "find", b.publicKey, "--min-hops", "5", "--json");
  assert.equal(code, 1);
  assert.equal(typeof JSON.parse(out).error.code, "string");
});

commandTest("skywire route rules lists what setup nodes installed", async ({ sim, a, b, run, json }) => {
  assert.match((await run("route", "rules")).out, /no rules/);
  const listener = b.listen(8080);
  const connection = await sim.run(a.dial(b.publicKey, 8080));
  const { rules } = await json("route", "rules");
  assert.deepEqual(rules.map(({ type }: { type: string }) => type).sort(), ["consume", "forward"]);
  for (const rule of rules) assert.deepEqual([rule.remote, rule.remotePort], [b.publicKey, 8080]);
  assert.match((await run("route", "rules")).out, /forward/);
  connection.close();
  listener.close();
});
