/** A link's peer is found to be there, or gone, or one that never answers. */

import assert from "node:assert/strict";
import { LivenessWatch } from "../../lib/transport/liveness.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";

/** A watch over a peer that answers after 40 ms while `answers` is true. */
function watchPeer(sim: Simulation): {
  watch: LivenessWatch;
  peer: { answers: boolean; receivedBytes: number; pings: number };
  seen: { roundTrips: number[]; silentAt: number | undefined };
} {
  const { clock, timers } = sim.runtimeFor("a");
  const peer = { answers: true, receivedBytes: 0, pings: 0 };
  const seen = { roundTrips: new Array<number>(), silentAt: undefined as number | undefined };
  const watch = new LivenessWatch({
    clock,
    timers,
    onRoundTrip: (ms) => seen.roundTrips.push(ms),
    onSilence: () => seen.silentAt = sim.nowMs,
  });
  watch.start({
    ping: (value) => {
      peer.pings++;
      timers.after(40, () => peer.answers && watch.pong(value));
    },
    receivedBytes: () => peer.receivedBytes,
  });
  return { watch, peer, seen };
}

simulationTest("the round trip is measured every 3 s", async (sim) => {
  const { watch, seen } = watchPeer(sim);
  await sim.run(9_500);
  assert.deepEqual(seen, { roundTrips: [40, 40, 40, 40], silentAt: undefined });
  watch[Symbol.dispose]();
  await sim.run(100);
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("a peer that used to answer is given up 9 to 12 s after it fell silent", async (sim) => {
  const { peer, seen } = watchPeer(sim);
  await sim.run(4_000);
  peer.answers = false;
  await sim.run(60_000);
  assert.ok(seen.silentAt !== undefined && seen.silentAt >= 12_000 && seen.silentAt <= 16_000, `${seen.silentAt}`);
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("any bytes count as a sign of life", async (sim) => {
  const { watch, peer, seen } = watchPeer(sim);
  await sim.run(1_000);
  peer.answers = false;
  for (let i = 0; i < 30; i++) {
    peer.receivedBytes += 100;
    await sim.run(2_000);
  }
  assert.equal(seen.silentAt, undefined);
  watch[Symbol.dispose]();
});

simulationTest("answers that nobody asked for are ignored", async (sim) => {
  const { watch, seen } = watchPeer(sim);
  watch.pong(99n);
  assert.deepEqual(seen.roundTrips, []);
  await sim.run(50);
  watch[Symbol.dispose]();
});
