/** What a user wants of transports is kept, and an address is tried before it is: whole visors on virtual time. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { at } from "../../../lib/types/at.ts";
import { startVisor, type Visor } from "../../../lib/visor/mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";

function start(sim: Simulation, host: string, join?: string): Promise<Visor> {
  const world = { runtime: sim.runtimeFor(host), storage: sim.storageFor(host) };
  return sim.run(startVisor({ ...world, host, autoTransport: false, ...(join === undefined ? {} : { join }) }));
}

async function end(sim: Simulation, ...visors: readonly Visor[]): Promise<void> {
  for (const visor of visors) await sim.run(async () => await visor[Symbol.asyncDispose]());
}

/** Where a visor accepts TCP transports. */
function stcpOf(visor: Visor, host: string): string {
  const { address } = visor.listeners.find(({ purpose }) => purpose === "transport-stcp")!;
  return address.replace("0.0.0.0", host);
}

async function keptBy(sim: Simulation, host: string): Promise<{ remote: string; type: string; address?: string }[]> {
  return JSON.parse(new TextDecoder().decode(await sim.storageFor(host).read("transports.json")));
}

simulationTest("visor.transports.add() tries an address before it takes the place of a good one", async (sim) => {
  const a = await start(sim, "a");
  const b = await start(sim, "b", a.ticket);
  const address = stcpOf(a, "a"), remote = a.publicKey;
  const { id } = await sim.run(b.transports.add(remote, { kind: "stcp", address }));
  const [good] = await keptBy(sim, "b");
  assert.equal(good?.address, address);
  for (const bad of ["127.0.0.1:1", "nowhere:7777"]) {
    await assert.rejects(sim.run(b.transports.add(remote, { kind: "stcp", address: bad })));
    assert.deepEqual(await keptBy(sim, "b"), [good]);
    assert.deepEqual(b.transports.list().map(({ id, up, label }) => [id, up, label]), [[id, true, "user"]]);
  }
  sim.partition("a", "b");
  await sim.run(60_000);
  assert.equal(b.transports.list()[0]?.up, false);
  sim.heal("a", "b");
  await sim.run(60_000);
  assert.equal(b.transports.list()[0]?.up, true, "it is dialled where it was good");

  // Without an address the good one stays.
  await sim.run(b.transports.add(remote, { kind: "stcp" }));
  assert.deepEqual(await keptBy(sim, "b"), [good]);
  await end(sim, b, a);
});

simulationTest(
  "a transport that was not asked for stays as it was when the address that is given is bad",
  async (sim) => {
    const a = await start(sim, "a");
    const b = await start(sim, "b", a.ticket);
    await sim.run(a.transports.add(b.publicKey, { kind: "stcp", address: stcpOf(b, "b") }));
    await assert.rejects(sim.run(b.transports.add(a.publicKey, { kind: "stcp", address: "127.0.0.1:1" })));
    await sim.run(10_000);
    assert.deepEqual(b.transports.list().map(({ up, label }) => [up, label]), [[true, "accepted"]]);
    assert.equal(await sim.storageFor("b").read("transports.json"), undefined);
    await end(sim, b, a);
  },
);

simulationTest("transports that cannot be kept are taken back, and removed ones that cannot be stay", async (sim) => {
  const a = await start(sim, "a");
  const b = await start(sim, "b", a.ticket);
  const address = stcpOf(a, "a"), remote = a.publicKey;
  sim.storageFor("b").full = true;
  const isFull = (error: unknown) => hasCode(error, "storage/write-failed");
  await assert.rejects(sim.run(b.transports.add(remote, { kind: "stcp", address })), isFull);
  assert.deepEqual(b.transports.list(), []);
  sim.storageFor("b").full = false;
  const { id } = await sim.run(b.transports.add(remote, { kind: "stcp", address }));
  sim.storageFor("b").full = true;
  await assert.rejects(sim.run(b.transports.remove(id)), isFull);
  assert.deepEqual(b.transports.list().map(({ up }) => up), [true]);
  sim.storageFor("b").full = false;
  await sim.run(b.transports.remove(id));
  assert.deepEqual(await keptBy(sim, "b"), []);
  await end(sim, b, a);
});

simulationTest(
  "what is done to transports at the same time is there after a restart as it was answered",
  async (sim) => {
    const hosts = ["b", "c", "d", "e", "f", "g", "h", "i"];
    const a = await start(sim, "a");
    const others: Visor[] = [];
    for (const host of hosts) others.push(await start(sim, host, a.ticket));
    await sim.run(
      Promise.all(
        others.map((other, i) =>
          a.transports.add(other.publicKey, { kind: "stcp", address: stcpOf(other, at(hosts, i)) })
        ),
      ),
    );
    assert.deepEqual(
      new Set((await keptBy(sim, "a")).map(({ remote }) => remote)),
      new Set(others.map((o) => o.publicKey)),
    );
    // Half of them go, and one of those is asked for again meanwhile.
    const [twice, ...going] = a.transports.list().slice(0, 4);
    const address = stcpOf(
      others.find(({ publicKey }) => publicKey === twice!.remote)!,
      at(hosts, others.findIndex(({ publicKey }) => publicKey === twice!.remote)),
    );
    await sim.run(Promise.all([
      ...going.map(({ id }) => a.transports.remove(id)),
      a.transports.remove(twice!.id).then(() => a.transports.add(twice!.remote, { kind: "stcp", address })),
    ]));
    const left = a.transports.list().map(({ remote }) => remote).sort();
    assert.equal(left.length, 5);
    assert.deepEqual((await keptBy(sim, "a")).map(({ remote }) => remote).sort(), left);
    // A removal that comes while the transport is being opened wins.
    const opening = a.transports.add(at(others, 0).publicKey, { kind: "ws", address: "nowhere:80" });
    const refused = assert.rejects(sim.run(opening));
    const pending = a.transports.list().find(({ type }) => type === "ws");
    if (pending !== undefined) await a.transports.remove(pending.id);
    await refused;
    assert.ok(!(await keptBy(sim, "a")).some(({ type }) => type === "ws"));
    await end(sim, a);
    const again = await start(sim, "a");
    await sim.run(10_000);
    assert.deepEqual(again.transports.list().map(({ remote }) => remote).sort(), left);
    await end(sim, again, ...others);
  },
);

simulationTest(
  "both visors may name the other's address for one transport, at once or one after the other",
  async (sim) => {
    const a = await start(sim, "a");
    const b = await start(sim, "b", a.ticket);
    const [toA, toB] = [stcpOf(a, "a"), stcpOf(b, "b")];
    const bothAdd = [
      () => sim.run(a.transports.add(b.publicKey, { kind: "stcp", address: toB })),
      () => sim.run(b.transports.add(a.publicKey, { kind: "stcp", address: toA })),
    ] as const;
    for (const add of [...bothAdd, ...bothAdd]) {
      await add();
      await sim.run(1_000);
      for (const visor of [a, b]) assert.deepEqual(visor.transports.list().map(({ up }) => up), [true]);
    }
    for (const { id } of a.transports.list()) await sim.run(a.transports.remove(id));
    for (const { id } of b.transports.list()) await sim.run(b.transports.remove(id));
    await sim.run(Promise.all([
      a.transports.add(b.publicKey, { kind: "stcp", address: toB }),
      b.transports.add(a.publicKey, { kind: "stcp", address: toA }),
    ]));
    await sim.run(60_000);
    for (const visor of [a, b]) {
      assert.deepEqual(visor.transports.list().map(({ up, label }) => [up, label]), [[
        true,
        "user",
      ]]);
    }
    assert.deepEqual((await keptBy(sim, "a")).map(({ address }) => address), [toB]);
    assert.deepEqual((await keptBy(sim, "b")).map(({ address }) => address), [toA]);
    await end(sim, b, a);
  },
);
