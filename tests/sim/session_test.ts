/** Connections that outlive their routes, through whole networks on virtual time. */

import assert from "node:assert/strict";
import { sha256 } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import type { ConnectionMove, DialOptions, RouteConnection } from "../../lib/routing/mod.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { connect, readBytes, readText } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";

/** Two ways from a to d: over b, and over c. */
interface Diamond {
  readonly a: SimVisor;
  readonly b: SimVisor;
  readonly c: SimVisor;
  readonly d: SimVisor;
}

async function diamond(network: SimNetwork): Promise<Diamond> {
  const [a, b, c, d] = await network.visors("a", "b", "c", "d");
  for (const [from, to] of [[a, b], [b, d], [a, c], [c, d]] as const) await network.join(from, to);
  return { a, b, c, d };
}

/** A connection from a to d, and its moves. */
async function connected(
  sim: Simulation,
  { a, d }: Diamond,
  options: DialOptions = {},
): Promise<{ dialled: RouteConnection; accepted: RouteConnection; moves: ConnectionMove[] }> {
  const [dialled, accepted] = await sim.run(connect(a, d, options));
  const moves: ConnectionMove[] = [];
  dialled.onMoved((move) => moves.push(move));
  return { dialled, accepted, moves };
}

const names = ({ a, b, c, d }: Diamond, { route }: { route: RouteConnection["route"] }): string =>
  route.map(({ to }) => [a, b, c, d].find(({ key }) => key === to)?.name).join("-");

const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

for (const silent of [false, true]) {
  simulationTest(
    `A transfer goes on over another visor when the one in the middle is ${silent ? "silent" : "gone"}`,
    async (sim) => {
      await using network = await SimNetwork.create(sim);
      const visors = await diamond(network);
      const { dialled, accepted, moves } = await connected(sim, visors);
      const [there, back] = [visors.a.runtime.random.bytes(3_000_000), visors.d.runtime.random.bytes(2_000_000)];
      const first = names(visors, dialled);
      const [received, returned] = await sim.run(async () => {
        const writes = Promise.all([dialled.write(there), accepted.write(back)]);
        const begins = await Promise.all([readBytes(accepted, 100_000), readBytes(dialled, 100_000)]);
        sim.kill(first.startsWith("b") ? "b" : "c", { silent });
        const rest = [readBytes(accepted, there.length - 100_000), readBytes(dialled, back.length - 100_000)] as const;
        const ends = await Promise.all(rest);
        await writes;
        return [concatBytes(begins[0], ends[0]), concatBytes(begins[1], ends[1])] as const;
      }, 20_000);
      assert.equal(sha256(received).toHex(), sha256(there).toHex());
      assert.equal(sha256(returned).toHex(), sha256(back).toHex());
      assert.equal(moves.length, 1);
      const [move] = moves as [ConnectionMove];
      assert.deepEqual([names(visors, { route: move.from }), names(visors, { route: move.to })], [
        first,
        first === "b-d" ? "c-d" : "b-d",
      ]);
      assert.ok(move.lostMs < 1_000, `${move.lostMs} ms`);
    },
  );
}

simulationTest("Each direction ends by itself", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const { dialled, accepted } = await connected(sim, await diamond(network));
  dialled.closeWrite();
  assert.equal(await sim.run(readText(accepted)), null);
  await sim.run(accepted.write(text("and still an answer")));
  assert.equal(await sim.run(readText(dialled)), "and still an answer");
  await assert.rejects(dialled.write(text("more")), (error) => hasCode(error, "route/closed"));
  await sim.run(accepted.writable.close());
  assert.equal(await sim.run(readText(dialled)), null);
  assert.deepEqual(await sim.run(Promise.all([dialled.closed, accepted.closed]), 1_000), [
    { reason: "remote" },
    { reason: "remote" },
  ]);
});

simulationTest("A connection waits for a visor that is started again, and breaks when none comes", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const [a, b, c] = await network.line("a", "b", "c");
  const [dialled, accepted] = await sim.run(connect(a, c));
  sim.kill(b.name);
  await sim.run(async () => await b[Symbol.asyncDispose]());
  await sim.run(20_000);
  assert.deepEqual(dialled.legs, []);
  sim.revive(b.name);
  await network.join(await network.visor(b.name), c);
  const [said] = await sim.run(() => Promise.all([readText(accepted), dialled.write(text("still there"))]), 20_000);
  assert.equal(said, "still there");
  sim.kill(b.name);
  const ends = [dialled, accepted].map((end) =>
    assert.rejects(readText(end), (error) => hasCode(error, "route/broken"))
  );
  await sim.run(Promise.all(ends), 70_000);
});
