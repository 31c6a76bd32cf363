/** What a visor tells of itself: whole visors on virtual time. */

import assert from "node:assert/strict";
import { startVisor, type Visor, type VisorEvent } from "../../../lib/visor/mod.ts";
import { createMemoryStorage, type Simulation, simulationTest } from "../../fakes/mod.ts";

const PORT = 80;

function start(sim: Simulation, host: string, join?: string): Promise<Visor> {
  return sim.run(startVisor({
    runtime: sim.runtimeFor(host),
    storage: createMemoryStorage(),
    host,
    autoTransport: false,
    ...(join !== undefined && { join }),
  }));
}

/** Listens until stopped. */
function record(visor: Visor): { readonly events: VisorEvent[]; stop(): Promise<void> } {
  const events: VisorEvent[] = [];
  const stopped = new AbortController();
  const listening = (async () => {
    for await (const event of visor.events({ signal: stopped.signal })) events.push(event);
  })();
  return {
    events,
    async stop(): Promise<void> {
      stopped.abort();
      await listening;
    },
  };
}

simulationTest("Visor.events() tells of transports, routes, and parts that fail and recover", async (sim) => {
  const a = await start(sim, "a");
  const b = await start(sim, "b", a.ticket);
  const { events, stop } = record(a);
  const seen = (): string[] => events.splice(0).map((event) => event.type);
  const listener = b.listen(PORT);
  const address = b.listeners.find(({ purpose }) => purpose === "transport-stcp")!.address.replace("0.0.0.0", "b");
  const { id } = await sim.run(a.transports.add(b.publicKey, { kind: "stcp", address }));
  await sim.run(1_000);
  const [up] = events;
  assert.ok(up?.type === "transport-up" && up.transport.id === id && up.at === new Date(up.at).toISOString());
  assert.deepEqual(seen(), ["transport-up"]);

  const connection = await sim.run(a.dial(b.publicKey, PORT));
  connection.close();
  await sim.run(1_000);
  const [setUp, ended] = events;
  assert.ok(setUp?.type === "route-set-up" && setUp.setupMs !== undefined);
  assert.deepEqual(setUp.route.path, [a.publicKey, b.publicKey]);
  assert.ok(
    ended?.type === "route-ended" && ended.reason === "local" && ended.route.localPort === connection.localPort,
  );
  assert.deepEqual(seen(), ["route-set-up", "route-ended"]);

  sim.partition("a", "b");
  await sim.run(30_000);
  assert.deepEqual(seen(), ["transport-down", "degraded"]);
  sim.heal("a", "b");
  await sim.run(60_000);
  const [transportBack, recovered] = events;
  assert.ok(transportBack?.type === "transport-up");
  assert.ok(recovered?.type === "recovered" && recovered.check.name === "transports");

  await stop();
  listener.close();
  for (const visor of [b, a]) await sim.run(async () => await visor[Symbol.asyncDispose]());
});

simulationTest("Visor.events() ends with the visor, and tells how much a slow listener missed", async (sim) => {
  const a = await start(sim, "a");
  const b = await start(sim, "b", a.ticket);
  const events = a.events()[Symbol.asyncIterator]();
  const first = events.next();
  const address = b.listeners.find(({ purpose }) => purpose === "transport-stcp")!.address.replace("0.0.0.0", "b");
  await sim.run(a.transports.add(b.publicKey, { kind: "stcp", address }));
  assert.equal((await sim.run(first)).value.type, "transport-up");
  await sim.run(async () => {
    for (let i = 0; i < 600; i++) await a.routes.ping(b.publicKey, { count: 1 });
  }, 600_000);
  let told = 0;
  for (; told < 1_024; told++) assert.match((await events.next()).value.type, /^route/);
  const rest = events.next();
  await sim.run(a.routes.ping(b.publicKey, { count: 1 }));
  const { value } = await sim.run(rest);
  assert.equal(value.type, "missed");
  assert.ok(value.count + told >= 1_200, `${value.count}`);
  for (const visor of [b, a]) await sim.run(async () => await visor[Symbol.asyncDispose]());
  for (let next = await events.next(); !next.done; next = await events.next());
});
