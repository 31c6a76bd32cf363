/** Transport discovery is kept in step, whatever it answers. */

import assert from "node:assert/strict";
import { RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import { RegistrationLoop } from "../../lib/transport/registration.ts";
import { transportMetrics } from "../../lib/transport/metrics.ts";
import type { TransportId } from "../../lib/types/mod.ts";
import { makeTransportEntry, signTransportEntry } from "../../lib/wire/transport_entry.ts";
import type { SignedEntry } from "../../lib/wire/transport_entry.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { KEY_A, KEY_B, SECRET_B } from "./drivers/keys.ts";

const SIGNED = signTransportEntry(makeTransportEntry(KEY_A, KEY_B, { kind: "stcp", label: "user" }), {
  publicKey: KEY_B,
  secret: SECRET_B,
});
const ID = SIGNED.entry.id;

/** A discovery that answers as told, and notes what it was asked. */
function makeDiscovery(): {
  asked: string[];
  failure: Error | undefined;
  listed: Map<TransportId, SignedEntry>;
  register(signed: SignedEntry[]): Promise<void>;
  deregister(id: TransportId): Promise<void>;
  byEdge(): Promise<SignedEntry["entry"][]>;
} {
  return {
    asked: [],
    failure: undefined,
    listed: new Map(),
    register(signed): Promise<void> {
      this.asked.push("register");
      if (this.failure !== undefined) return Promise.reject(this.failure);
      for (const one of signed) this.listed.set(one.entry.id, one);
      return Promise.resolve();
    },
    deregister(id): Promise<void> {
      this.asked.push("deregister");
      if (this.failure !== undefined) return Promise.reject(this.failure);
      if (!this.listed.delete(id)) {
        return Promise.reject(new RefusedError("discovery/not-found", "transport not found"));
      }
      return Promise.resolve();
    },
    byEdge(): Promise<SignedEntry["entry"][]> {
      this.asked.push("byEdge");
      return Promise.resolve([...this.listed.values()].map(({ entry }) => entry));
    },
  };
}

function makeLoop(sim: Simulation, registry: ReturnType<typeof makeDiscovery>): RegistrationLoop {
  const runtime = sim.runtimeFor("b");
  return new RegistrationLoop({ runtime, registry, localKey: KEY_B, metrics: transportMetrics(runtime.metrics) });
}

const UNREACHABLE = new UnavailableError("http/unreachable", "No answer");

simulationTest("a transport is registered once, and deregistered once", async (sim) => {
  const discovery = makeDiscovery();
  const loop = makeLoop(sim, discovery);
  loop.register(SIGNED);
  await sim.run(1_000);
  assert.deepEqual([...discovery.listed.keys()], [ID]);
  loop.deregister(ID);
  await sim.run(30_000);
  assert.deepEqual(discovery.asked, ["register", "deregister"]);
  await sim.run(loop[Symbol.asyncDispose]());
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("registration is repeated with growing pauses until discovery is back", async (sim) => {
  const discovery = makeDiscovery();
  discovery.failure = UNREACHABLE;
  const loop = makeLoop(sim, discovery);
  loop.register(SIGNED);
  await sim.run(60_000);
  const tries = discovery.asked.filter((what) => what === "register");
  assert.ok(tries.length >= 5 && tries.length <= 11, `${tries.length} tries`);
  discovery.failure = undefined;
  await sim.run(61_000);
  assert.deepEqual([...discovery.listed.keys()], [ID]);
  await sim.run(loop[Symbol.asyncDispose]());
});

simulationTest("an answer that will not change ends the tries", async (sim) => {
  const discovery = makeDiscovery();
  discovery.failure = new RefusedError("discovery/conflict", "already registered");
  const loop = makeLoop(sim, discovery);
  loop.register(SIGNED);
  await sim.run(40_000);
  assert.deepEqual(discovery.asked, ["register"]);
  await sim.run(loop[Symbol.asyncDispose]());
});

simulationTest("deregistration is tried five times, then left", async (sim) => {
  const discovery = makeDiscovery();
  discovery.failure = UNREACHABLE;
  const loop = makeLoop(sim, discovery);
  loop.deregister(ID);
  await sim.run(300_000);
  assert.deepEqual(discovery.asked, Array(5).fill("deregister"));
  await sim.run(loop[Symbol.asyncDispose]());
});

simulationTest("an entry that discovery lost is registered again within a minute", async (sim) => {
  const discovery = makeDiscovery();
  const loop = makeLoop(sim, discovery);
  loop.register(SIGNED);
  await sim.run(1_000);
  discovery.listed.clear();
  await sim.run(61_000);
  assert.deepEqual([...discovery.listed.keys()], [ID]);
  await sim.run(loop[Symbol.asyncDispose]());
});

simulationTest("a transport that came back cancels a deregistration that is being repeated", async (sim) => {
  const discovery = makeDiscovery();
  discovery.failure = UNREACHABLE;
  const loop = makeLoop(sim, discovery);
  loop.deregister(ID);
  await sim.run(100);
  loop.leaveToOther(ID);
  loop.register(SIGNED);
  await sim.run(10);
  loop.leaveToOther(ID);
  discovery.failure = undefined;
  await sim.run(100_000);
  assert.deepEqual(discovery.asked, ["deregister", "register"]);
  await sim.run(loop[Symbol.asyncDispose]());
});

simulationTest("disposing waits for deregistrations, but not long for a discovery that is silent", async (sim) => {
  const discovery = makeDiscovery();
  discovery.deregister = (): Promise<void> => new Promise(() => {});
  const loop = makeLoop(sim, discovery);
  loop.register(SIGNED);
  await sim.run(1_000);
  loop.deregister(ID);
  const started = sim.nowMs;
  await sim.run(loop[Symbol.asyncDispose]());
  assert.equal(sim.nowMs - started, 1_500);
  assert.equal(sim.pendingTimers, 0);
});
