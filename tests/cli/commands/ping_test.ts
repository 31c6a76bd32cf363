import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire ping sets up a route and measures it as often as asked", async ({ a, b, run, json }) => {
  const { to, hops, visors, rttMs } = await json("ping", b.publicKey, "--count", "3");
  assert.deepEqual({ to, hops, visors }, { to: b.publicKey, hops: 1, visors: [a.publicKey, b.publicKey] });
  assert.equal(rttMs.length, 3);
  assert.match(
    (await run("ping", b.publicKey, "--count", "1")).out,
    /over 1 hop: .*\n +1 +[\d.]+ ms\nmin .* median .* max/,
  );
});

commandTest("skywire ping names the digits that are no visor's", async ({ run }) => {
  const { code, err } = await run("ping", "02abababab");
  assert.equal(code, 1);
  assert.match(err, /02abababab/);
});
