import assert from "node:assert/strict";
import { commandTest } from "./two_visors.ts";

commandTest("skywire bench measures both ways, and takes the first digits of a key that it knows", async (world) => {
  const { a, b, run, json } = world;
  const { to, hops, visors, megabytesPerSecond: { up, down }, rttMs } = await json(
    ...["bench", b.publicKey, "--seconds", "0.1"],
  );
  assert.deepEqual({ to, hops, visors }, { to: b.publicKey, hops: 1, visors: [a.publicKey, b.publicKey] });
  assert.ok(up > 0 && down > 0 && rttMs.p50 > 0 && rttMs.p99 >= rttMs.p50);
  const { out } = await run("bench", b.publicKey.slice(0, 12), "--seconds", "0.1");
  assert.match(out, /over 1 hop: .*\nup +[\d.]+ MB\/s\ndown +[\d.]+ MB\/s\nround trip meanwhile: median/);
});

commandTest("skywire bench refuses a time that is none", async ({ b, run }) => {
  for (const seconds of ["0", "61", "soon"]) {
    assert.equal((await run("bench", b.publicKey, "--seconds", seconds)).code, 2, seconds);
  }
});
