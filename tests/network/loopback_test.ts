import assert from "node:assert/strict";
import { RefusedError } from "../../lib/errors/mod.ts";
import { formatTicket, isLoopbackNetwork, parseTicket } from "../../lib/network/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { startVisor, type Visor } from "../../lib/visor/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";

const KEY = `02${"ab".repeat(32)}` as PublicKey;

/** A visor that stays on its machine. Several may run there, each in a folder of its own. */
function startOn(sim: Simulation, machine: string, options: { folder?: string; join?: string } = {}): Promise<Visor> {
  const { folder = machine, ...rest } = options;
  const runtime = sim.runtimeFor(machine);
  return sim.run(startVisor({ runtime, storage: sim.storageFor(folder), ...rest }), 60_000);
}

const end = (sim: Simulation, visor: Visor): Promise<void> => sim.run(async () => await visor[Symbol.asyncDispose]());

simulationTest("a ticket that names loopback is taken on its machine only", async (sim) => {
  const first = await startOn(sim, "here");
  assert.ok(isLoopbackNetwork(parseTicket(first.ticket)));
  const second = await startOn(sim, "here", { folder: "second", join: first.ticket });
  assert.deepEqual((await sim.run(second.status())).healthy, true);
  await assert.rejects(startOn(sim, "there", { join: first.ticket }), (error: Error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.code, "config/local-ticket");
    assert.match(
      error.message,
      /for the machine that it was made on, and nobody answers .* --host and a name or address/,
    );
    return true;
  });
  assert.deepEqual(await sim.storageFor("there").read("config.json"), undefined);

  const other = await startOn(sim, "there");
  await assert.rejects(startOn(sim, "there", { folder: "third", join: first.ticket }), /another network answers/);
  for (const visor of [other, second, first]) await end(sim, visor);
});

simulationTest(
  "a ticket that names loopback is taken on its machine while its network is away, and leads there later",
  async (sim) => {
    const first = await startOn(sim, "here");
    const { ticket, publicKey } = first;
    await end(sim, first);
    const second = await startOn(sim, "here", { folder: "second", join: ticket });
    assert.equal(second.ticket, ticket);
    const again = await startOn(sim, "here");
    assert.equal(again.ticket, ticket, "the mark of the machine stays");
    await sim.run(20_000);
    assert.equal((await sim.run(second.routes.ping(publicKey, { count: 1 }), 60_000)).hops, 1);
    for (const visor of [again, second]) await end(sim, visor);
  },
);

simulationTest(
  "a ticket of loopback without a mark is taken where nobody answers: it may be this machine",
  async (sim) => {
    const first = await startOn(sim, "here");
    const { machine, ...unmarked } = parseTicket(first.ticket);
    assert.match(machine ?? "", /^[0-9a-f]{8}$/);
    await end(sim, first);
    await end(sim, await startOn(sim, "there", { join: formatTicket(unmarked) }));
  },
);

simulationTest(
  "a visor that has joined a network on its machine starts while that is away, its ticket given again or not",
  async (sim) => {
    const first = await startOn(sim, "here");
    const join = first.ticket;
    await end(sim, await startOn(sim, "here", { folder: "second", join }));
    await end(sim, first);
    for (const again of [{}, { join }]) await end(sim, await startOn(sim, "here", { folder: "second", ...again }));
  },
);

Deno.test("a network is for one machine only when its messaging discovery is on loopback", () => {
  const setupNodes = [KEY];
  for (
    const [host, isLocal] of [
      ["127.0.0.1", true],
      ["127.9.9.9", true],
      ["localhost", true],
      ["[::1]", true],
      ["10.0.0.1", false],
      ["vpn.example.org", false],
      [`${KEY}.sky`, false],
    ] as const
  ) {
    const network = {
      messagingDiscovery: `http://${host}:9090`,
      transportDiscovery: "http://127.0.0.1:9091",
      setupNodes,
    };
    assert.equal(isLoopbackNetwork(network), isLocal, host);
  }
  const atKey = { messagingDiscovery: `dmsg://${KEY}:80`, transportDiscovery: `dmsg://${KEY}:9091`, setupNodes };
  assert.equal(isLoopbackNetwork(atKey), false);
});
