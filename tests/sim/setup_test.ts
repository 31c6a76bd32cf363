/** Setup nodes that die: in use, for good or for a while, and after every single message of a set-up. */

import assert from "node:assert/strict";
import { describeError } from "../../lib/errors/mod.ts";
import type { ByteLink, Runtime } from "../../lib/runtime/mod.ts";
import { at } from "../../lib/types/at.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { connect, PORT } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";

/** How long a dial may take whose setup node has died, ms. */
const DIAL_WITHIN_MS = 10_000;

/** The longest life of a rule that nobody uses, and of an id that nobody used, with the time in which both are swept up. */
const KEEP_ALIVE_MS = 30_000, RESERVATION_MS = 60_000;

for (const silent of [true, false]) {
  simulationTest(
    `When the setup node in use dies ${silent ? "without a word" : "at once"}, dials go through another within 10 s`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      await network.addSetupNode("spare");
      const [a, , c] = await network.line("a", "b", "c");
      (await sim.run(connect(a, c)))[0].close();
      const listener = c.router.listen(PORT);
      const logged = sim.logLines.length;
      sim.kill("setup", { silent });
      const dials = Array.from({ length: 10 }, () => timedDial(sim, a, c));
      const took = await sim.run(Promise.all(dials));
      assert.ok(took.every((ms) => ms <= DIAL_WITHIN_MS), `${took} ms`);
      assert.ok(await sim.run(timedDial(sim, a, c)) < 200, "the dead one is not asked first any more");
      assert.ok(sim.logLines.slice(logged).some((line) => line.startsWith("spare: ") && line.includes("route-set-up")));

      sim.revive("setup");
      await sim.run(60_000);
      sim.kill("spare", { silent });
      assert.ok(await sim.run(timedDial(sim, a, c)) <= DIAL_WITHIN_MS, "and it is used again when it is back");
      listener.close();
    },
  );
}

for (const silent of [true, false]) {
  simulationTest(
    `When the only setup node comes back ${
      silent ? "after silence" : "after it took its leave"
    }, a dial stands within 3 s`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const [a, , c] = await network.line("a", "b", "c");
      (await sim.run(connect(a, c)))[0].close();
      const listener = c.router.listen(PORT);
      const loss = network.loseSetupNode("setup", { ms: 4_000, silent });
      // One that is asked meanwhile, and one that is asked after the return.
      const early = silent ? timedDial(sim, a, c).then(() => sim.nowMs) : undefined;
      await loss;
      const backAt = sim.nowMs;
      assert.ok(await sim.run(timedDial(sim, a, c), 3_000) <= 3_000);
      if (early !== undefined) assert.ok(await sim.run(early) - backAt <= 3_000, "the one that was asked in vain, too");
      listener.close();
    },
  );
}

simulationTest("A setup node that is late is not waited for, and leaves nothing behind", async (sim) => {
  await using network = await SimNetwork.create(sim);
  await network.addSetupNode("spare");
  const visors = await network.line("a", "b", "c");
  const [a, , c] = visors;
  (await sim.run(connect(a, c)))[0].close();
  const listener = c.router.listen(PORT);
  sim.setLatency("setup", "hub", 400);
  const logged = sim.logLines.length;
  assert.ok(await sim.run(timedDial(sim, a, c)) < 500, "its own set-up would take some seconds");
  const bySpare = (line: string): boolean => line.startsWith("spare: ") && line.includes("route-set-up ");
  assert.equal(sim.logLines.slice(logged).filter(bySpare).length, 1);
  assert.ok(await sim.run(timedDial(sim, a, c)) < 100, "the other one is asked first after that");
  listener.close();
  await sim.run(10_000);
  for (const { name, router } of visors) assert.deepEqual(router.rules(), [], `rules at ${name}`);
  await sim.run(RESERVATION_MS);
  for (const { name, router } of visors) assert.equal(router.reservedIds, 0, `ids of ${name}`);
});

simulationTest("A setup node that dies after any message of a set-up leaves nothing behind", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const fuse = new Fuse(sim, "mortal");
  const mortal = await network.addSetupNode("mortal", { through: (runtime) => fuse.watch(runtime) });
  const visors: SimVisor[] = [];
  for (const name of ["a", "b", "c", "d"]) visors.push(await network.visor(name, { setupNodes: [mortal] }));
  for (const [i, visor] of visors.slice(1).entries()) await network.join(at(visors, i), visor);
  const [a, d] = [at(visors, 0), at(visors, 3)];
  let failures = 0, sawRules = 0, sawIds = 0;
  for (let message = 1;; message++) {
    fuse.light(message);
    const end = await sim.run(connect(a, d).then(([there]) => there, (error: unknown) => error), 60_000);
    const isWhole = !fuse.burnt;
    fuse.putOut();
    if (end instanceof Error) failures++;
    else (end as Disconnectable).close();
    if (visors.some(({ router }) => router.rules().length > 0)) sawRules++;
    if (visors.some(({ router }) => router.reservedIds > 0)) sawIds++;
    await sim.run(KEEP_ALIVE_MS + 8_000);
    for (const { name, router } of visors) {
      assert.deepEqual(router.rules(), [], `rules at ${name} after message ${message}: ${describeError(end)}`);
    }
    await sim.run(RESERVATION_MS - KEEP_ALIVE_MS);
    for (const { name, router } of visors) assert.equal(router.reservedIds, 0, `${name}, message ${message}`);
    if (isWhole) break;
    sim.revive("mortal");
    await sim.run(30_000);
  }
  assert.ok(failures >= 20, `${failures} set-ups were cut short`);
  assert.ok(sawRules >= 5, `rules stood after ${sawRules} of them`);
  assert.ok(sawIds >= 5, `ids were reserved after ${sawIds} of them`);
});

interface Disconnectable {
  close(): void;
}

async function timedDial(sim: Simulation, from: SimVisor, to: SimVisor): Promise<number> {
  const startedMs = sim.nowMs;
  const connection = await from.router.dial(to.key, PORT);
  connection.close();
  return sim.nowMs - startedMs;
}

/** Kills a host after so many messages that it sent or got. */
class Fuse {
  readonly #sim: Simulation;
  readonly #host: string;
  #left = Infinity;

  constructor(sim: Simulation, host: string) {
    this.#sim = sim;
    this.#host = host;
  }

  get burnt(): boolean {
    return this.#left <= 0;
  }

  light(messages: number): void {
    this.#left = messages;
  }

  putOut(): void {
    this.#left = Infinity;
  }

  watch(runtime: Runtime): Runtime {
    const { network } = runtime;
    const dial: typeof network.dial = async (...args) => this.#counted(await network.dial(...args));
    return { ...runtime, network: { ...network, dial } };
  }

  #counted(link: ByteLink): ByteLink {
    return {
      ...link,
      read: async (into): Promise<number | null> => {
        const count = await link.read(into);
        this.#burn();
        return count;
      },
      write: async (bytes): Promise<void> => {
        await link.write(bytes);
        this.#burn();
      },
    };
  }

  #burn(): void {
    if (this.burnt || --this.#left > 0) return;
    this.#sim.kill(this.#host);
  }
}
