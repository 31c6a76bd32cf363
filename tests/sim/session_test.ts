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

simulationTest("A leg on standby takes over within a round trip", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await diamond(network);
  const { dialled, accepted, moves } = await connected(sim, visors, { standby: 1 });
  await sim.run(2_000);
  assert.deepEqual(dialled.legs.map(({ state }) => state), ["in-use", "standby"]);
  assert.deepEqual(accepted.legs.map(({ state }) => state), ["in-use", "standby"]);
  const [used, waiting] = dialled.legs.map((leg) => names(visors, leg));
  assert.notEqual(used, waiting);
  // Bytes are under way, so that silence is noticed.
  const stream = sendForever(dialled);
  await sim.run(readBytes(accepted, 100_000));
  sim.kill(used === "b-d" ? "b" : "c", { silent: true });
  const before = sim.nowMs;
  await sim.run(readBytes(accepted, 2_000_000), 2_000);
  assert.ok(sim.nowMs - before < 1_000, `${sim.nowMs - before} ms`);
  assert.equal(names(visors, dialled), waiting);
  assert.equal(moves.length, 1);
  assert.ok(moves.every(({ lostMs }) => lostMs < 150), `${moves[0]?.lostMs} ms`);
  await stream.stop();
});

simulationTest("Several routes carry one stream, in order", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await diamond(network);
  const { dialled, accepted } = await connected(sim, visors, { routes: 2 });
  await sim.run(2_000);
  assert.deepEqual(dialled.legs.map(({ state }) => state), ["in-use", "in-use"]);
  const there = visors.a.runtime.random.bytes(4_000_000);
  const [received] = await sim.run(
    () => Promise.all([readBytes(accepted, there.length), dialled.write(there)]),
    20_000,
  );
  assert.equal(sha256(received).toHex(), sha256(there).toHex());
  for (const { key } of [visors.b, visors.c]) {
    const own = visors.a.transports.list().find(({ remote }) => remote === key);
    assert.ok((own?.sentBytes ?? 0) > 500_000, "each carries its part");
  }
});

simulationTest("A connection goes over to a route of half the hops after 30 s, unless it is pinned", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await diamond(network);
  const free = await connected(sim, visors);
  const pinned = await connected(sim, visors, { pin: true });
  await network.join(visors.a, visors.d);
  const streams = [free, pinned].map(({ dialled, accepted }) => {
    void discard(accepted);
    return trickle(sim, dialled);
  });
  await sim.run(20_000);
  assert.equal(free.moves.length, 0);
  await sim.run(40_000);
  assert.deepEqual(free.moves.map(({ cause, lostMs }) => [cause, lostMs]), [["better", 0]]);
  assert.equal(names(visors, free.dialled), "d");
  assert.deepEqual(free.dialled.legs.length, 1);
  assert.deepEqual(pinned.moves, []);
  for (const stop of streams) stop();
});

simulationTest("A messaging transport that a dial opened is left as soon as there is another way", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const a = await network.visor("a", { autoTransport: true });
  const d = await network.visor("d");
  const [dialled, accepted] = await sim.run(connect(a, d), 60_000);
  const kindOf = (): string | undefined =>
    a.transports.list().find(({ id }) => id === dialled.route[0]?.transportId)?.type;
  assert.equal(kindOf(), "dmsg");
  const moves: ConnectionMove[] = [];
  dialled.onMoved((move) => moves.push(move));
  void discard(accepted);
  const stop = trickle(sim, dialled);
  await network.join(a, d);
  await sim.run(10_000);
  assert.equal(kindOf(), "stcp");
  assert.deepEqual(moves.map(({ cause }) => cause), ["better"]);
  stop();
});

simulationTest("A path that was asked for is kept to, and tried again", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await diamond(network);
  const { dialled, accepted } = await connected(sim, visors, { path: [visors.b.key, visors.d.key] });
  sim.kill("b");
  await sim.run(async () => await visors.b[Symbol.asyncDispose]());
  await sim.run(10_000);
  assert.deepEqual(dialled.legs, [], "c is there, and not asked");
  sim.revive("b");
  const b = await network.visor("b");
  for (const other of [visors.a, visors.d]) await network.join(b, other);
  const [said] = await sim.run(() => Promise.all([readText(accepted), dialled.write(text("over b"))]), 20_000);
  assert.equal(said, "over b");
  assert.equal(names(visors, dialled), "b-d");
});

simulationTest("An end that was started again has lost the connection, and says so", async (sim) => {
  await using network = await SimNetwork.create(sim);
  const visors = await diamond(network);
  const { dialled } = await connected(sim, visors);
  sim.kill("d");
  await sim.run(async () => await visors.d[Symbol.asyncDispose]());
  await sim.run(1_000);
  sim.revive("d");
  const d = await network.visor("d");
  for (const other of [visors.b, visors.c]) await network.join(other, d);
  await assert.rejects(sim.run(readText(dialled), 20_000), /does not know the connection any more/);
});

/** Writes until it is told to stop. */
function sendForever(connection: RouteConnection): { readonly stop: () => Promise<void> } {
  let stopped = false;
  const sending = (async () => {
    while (!stopped) await connection.write(new Uint8Array(64 * 1024));
  })().catch(() => {});
  return {
    stop: async () => {
      stopped = true;
      connection.close();
      await sending;
    },
  };
}

/** A few bytes every second. @returns stops it */
function trickle(sim: Simulation, connection: RouteConnection): () => void {
  const { timers } = sim.runtimeFor("trickle");
  let cancel = timers.after(1_000, function again(): void {
    void connection.write(text("tick")).catch(() => {});
    cancel = timers.after(1_000, again);
  });
  return () => cancel();
}

async function discard(connection: RouteConnection): Promise<void> {
  while (await readText(connection) !== null);
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
