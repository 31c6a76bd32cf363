/** The place of a transport for its link: one at a time, and none that is left open. */

import assert from "node:assert/strict";
import { Records } from "../../lib/core/mod.ts";
import { createSwitchLoop } from "../../lib/transport/mod.ts";
import type { SettledLink } from "../../lib/transport/link_setup.ts";
import { LinkSlot } from "../../lib/transport/link_slot.ts";
import { transportMetrics } from "../../lib/transport/metrics.ts";
import { NO_FEATURES } from "../../lib/wire/peer_features.ts";
import { transportId } from "../../lib/wire/transport_entry.ts";
import { linkPair } from "../fakes/link_pair.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { KEY_A, KEY_B } from "./drivers/keys.ts";

interface Made {
  readonly settled: SettledLink;
  readonly isClosed: () => boolean;
}

function makeLink(initiator: boolean): Made {
  const [near] = linkPair();
  let isClosed = false;
  const link = {
    ...near,
    close(): void {
      isClosed = true;
      near.close();
    },
  };
  const records = Records.ofKeys({ send: new Uint8Array(32).fill(1), receive: new Uint8Array(32).fill(2) });
  const secure = { link, records, remoteKey: KEY_B };
  return { settled: { secure, early: new Uint8Array(), features: NO_FEATURES, initiator }, isClosed: () => isClosed };
}

function makeSlot(sim: Simulation): { slot: LinkSlot; told: string[]; end: () => Promise<void> } {
  const runtime = sim.runtimeFor("a");
  const loop = createSwitchLoop({ runtime, localKey: KEY_A });
  const told: string[] = [];
  const slot = new LinkSlot({
    transportId: transportId(KEY_A, KEY_B, "stcp"),
    runtime,
    loop,
    metrics: transportMetrics(runtime.metrics),
    onUp: () => told.push("up"),
    onDown: () => told.push("down"),
    onV13Left: () => told.push("v1.3 left"),
    onMeasured: () => {},
  });
  return { slot, told, end: async () => await sim.run(loop[Symbol.asyncDispose]()) };
}

simulationTest("a new link takes the place of the older one, which is closed first", async (sim) => {
  const { slot, told, end } = makeSlot(sim);
  const [first, second] = [makeLink(true), makeLink(false)];
  await sim.run(slot.install(first.settled));
  assert.deepEqual([slot.up, slot.initiator], [true, true]);
  await sim.run(slot.install(second.settled));
  assert.deepEqual([first.isClosed(), second.isClosed(), slot.up, slot.initiator], [true, false, true, false]);
  await sim.run(slot.stop(new Error("removed")));
  assert.deepEqual([second.isClosed(), slot.up], [true, false]);
  assert.deepEqual(told, ["up", "down", "up", "v1.3 left", "down"]);
  await end();
});

simulationTest("a link that comes after the transport was removed is closed", async (sim) => {
  const { slot, told, end } = makeSlot(sim);
  await sim.run(slot.stop(new Error("removed")));
  const late = makeLink(true);
  await assert.rejects(sim.run(slot.install(late.settled)), /removed/);
  assert.equal(late.isClosed(), true);
  assert.throws(() => late.settled.secure.records.seal(new Uint8Array(1)), "the records are disposed");
  assert.deepEqual(told, []);
  await end();
});
