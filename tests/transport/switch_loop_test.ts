/** Links under a switch: how they end, and that nothing of one disturbs another. */

import assert from "node:assert/strict";
import { Records } from "../../lib/core/mod.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { createSwitchLoop } from "../../lib/transport/mod.ts";
import type { ActiveLink, SwitchLoop } from "../../lib/transport/mod.ts";
import type { PublicKey, TransportId } from "../../lib/types/mod.ts";
import { transportId } from "../../lib/wire/transport_entry.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { linkPair } from "../fakes/link_pair.ts";
import { KEY_A, KEY_B } from "./drivers/keys.ts";

const [ID, OTHER_ID] = ["memory", "other"].map((kind) => transportId(KEY_A, KEY_B, kind)) as [TransportId, TransportId];
const [ONE, TWO] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

function makeLoop(sim: Simulation, name: string, localKey: PublicKey): SwitchLoop {
  return createSwitchLoop({ runtime: sim.runtimeFor(name), localKey });
}

interface AttachTestOptions {
  readonly transportId?: TransportId;
  readonly onPong?: (value: bigint) => void;
}

function attach(loop: SwitchLoop, link: ByteLink, side: "a" | "b", options: AttachTestOptions = {}): ActiveLink {
  const [send, receive] = side === "a" ? [ONE, TWO] : [TWO, ONE];
  const remoteKey = side === "a" ? KEY_B : KEY_A;
  const records = Records.ofKeys({ send, receive });
  return loop.attach({ link, records, remoteKey }, { transportId: ID, ...options });
}

simulationTest("pings are answered by the other switch, and are no traffic", async (sim) => {
  await using a = makeLoop(sim, "a", KEY_A);
  await using b = makeLoop(sim, "b", KEY_B);
  const [left, right] = linkPair();
  const pongs: bigint[] = [];
  const ours = attach(a, left, "a", { onPong: (value) => pongs.push(value) }), theirs = attach(b, right, "b");
  for (const value of [0n, 7n, 2n ** 64n - 1n]) ours.ping(value);
  await sim.run(10);
  assert.deepEqual(pongs, [0n, 7n, 2n ** 64n - 1n]);
  for (const { sentPackets, receivedPackets } of [ours.stats(), theirs.stats()]) {
    assert.deepEqual([sentPackets, receivedPackets], [0, 0]);
  }
});

simulationTest("a link ends as `local` here and as `remote` there, and a ping after that is harmless", async (sim) => {
  await using a = makeLoop(sim, "a", KEY_A);
  await using b = makeLoop(sim, "b", KEY_B);
  const [left, right] = linkPair();
  const ours = attach(a, left, "a"), theirs = attach(b, right, "b");
  ours.close();
  ours.close();
  const ends = await sim.run(Promise.all([ours.ended, theirs.ended]));
  assert.deepEqual(ends.map(({ reason }) => reason), ["local", "remote"]);
  ours.ping(2n);
});

simulationTest("bytes that are no record end the link as a fault", async (sim) => {
  await using a = makeLoop(sim, "a", KEY_A);
  const [left, right] = linkPair();
  const ours = attach(a, left, "a");
  await right.write(sim.runtimeFor("x").random.bytes(5_000));
  const end = await sim.run(ours.ended);
  assert.equal(end.reason, "fault");
  assert.equal(await right.read(new Uint8Array(1)).catch(() => null), null);
});

simulationTest("a link that breaks in the network ends as broken", async (sim) => {
  await using a = makeLoop(sim, "a", KEY_A);
  const listener = await sim.runtimeFor("b").network.listen("b:1");
  const link = await sim.run(sim.runtimeFor("a").network.dial("b:1"));
  const ours = attach(a, link, "a");
  sim.cutLinks("a", "b");
  assert.equal((await sim.run(ours.ended)).reason, "broken");
  listener.close();
});

simulationTest("disposing ends all links before the switch", async (sim) => {
  const a = makeLoop(sim, "a", KEY_A);
  await using b = makeLoop(sim, "b", KEY_B);
  const links = [linkPair(), linkPair()];
  const theirs = links.map(([left, right], i) => {
    const transportId = i === 0 ? ID : OTHER_ID;
    attach(a, left, "a", { transportId });
    return attach(b, right, "b", { transportId });
  });
  await sim.run(a[Symbol.asyncDispose]());
  const ends = await sim.run(Promise.all(theirs.map(({ ended }) => ended)));
  assert.deepEqual(ends.map(({ reason }) => reason), ["remote", "remote"]);
});

simulationTest("a peer that reads nothing stops the writer, not the loop", async (sim) => {
  await using a = makeLoop(sim, "a", KEY_A);
  const [deaf] = linkPair();
  const [left, right] = linkPair();
  await using b = makeLoop(sim, "b", KEY_B);
  const stuck = attach(a, deaf, "a", { transportId: OTHER_ID });
  const pongs: bigint[] = [];
  const good = attach(a, left, "a", { onPong: (value) => pongs.push(value) });
  attach(b, right, "b");
  for (let i = 0n; i < 20_000n; i++) stuck.ping(i);
  good.ping(5n);
  await sim.run(1_000);
  assert.deepEqual(pongs, [5n]);
});
