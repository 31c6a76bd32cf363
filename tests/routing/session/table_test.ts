/** Which legs a responder takes (sessions.md §1.4–1.6), over real switches on virtual time. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { answerHandshake, initiateHandshake } from "../../../lib/routing/group_handshake.ts";
import type { Opening } from "../../../lib/routing/connection_table.ts";
import type { SessionConnection } from "../../../lib/routing/session/connection.ts";
import { Session } from "../../../lib/routing/session/session.ts";
import { type LegDecision, SessionTable } from "../../../lib/routing/session/table.ts";
import { at } from "../../../lib/types/at.ts";
import type { PublicKey, SessionId } from "../../../lib/types/mod.ts";
import { encodeSessionPayload, parseSessionPayload, type SessionPayload } from "../../../lib/wire/session_payload.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { type Line, type LineNode, makeLine } from "../line.ts";

const ID = "000102030405060708090a0b0c0d0e0f" as SessionId;

/** An initiator and a responder that are neighbours. */
interface World extends AsyncDisposable {
  readonly sim: Simulation;
  readonly line: Line;
  readonly table: SessionTable;
  readonly refused: () => number;
  readonly initiator: LineNode;
  readonly responder: LineNode;
}

async function makeWorld(sim: Simulation): Promise<World> {
  const line = await makeLine(sim, 1);
  const [initiator, responder] = [at(line.nodes, 0), at(line.nodes, 1)];
  let refused = 0;
  const table = new SessionTable({
    loop: responder.loop,
    clock: responder.runtime.clock,
    timers: responder.runtime.timers,
    connections: responder.table,
    onConnection: () => () => {},
    refusedLegs: { add: () => void refused++ },
  });
  return {
    sim,
    line,
    table,
    refused: () => refused,
    initiator,
    responder,
    async [Symbol.asyncDispose](): Promise<void> {
      await sim.run(table.closeAll());
      await line[Symbol.asyncDispose]();
    },
  };
}

/** What came of a leg at both ends. */
interface Dialled {
  readonly answer: SessionPayload | undefined;
  readonly decision: LegDecision;
  readonly opening: Opening;
  readonly admitted: () => Promise<SessionConnection | undefined>;
}

/** The handshake of a leg. What the responder takes it admits when `admitted` is called. */
async function dial(
  world: World,
  said: Partial<SessionPayload>,
  options: { hasListener?: boolean } = {},
): Promise<Dialled> {
  const { sim, line, table, initiator, responder } = world;
  const ends = line.install({ local: 49_153 + dials++ });
  const [from, to] = [ends.initiator(), ends.responder()];
  let decision: LegDecision | undefined;
  const [answer] = await sim.run(Promise.all([
    initiateHandshake(from.group, { ...initiator, remoteKey: responder.key, payload: encodeSessionPayload(said) }),
    answerHandshake(to.group, {
      ...responder,
      remoteKey: initiator.key,
      answer: (payload) => {
        decision = table.decide(initiator.key, payload, options.hasListener ?? true);
        return decision.answer;
      },
    }),
  ]));
  assert.ok(decision !== undefined);
  const taken = decision;
  const signal = new AbortController().signal;
  return {
    answer: parseSessionPayload(answer),
    decision,
    opening: from,
    admitted: async () => {
      assert.ok(taken.kind === "first" || taken.kind === "further");
      return await table.admit(to, taken, { ports: { local: 3, remote: 49_153 }, signal });
    },
  };
}

let dials = 0;

/** The initiator's side of a session. */
function beginAt({ initiator, responder }: World): Session {
  const deps = {
    loop: initiator.loop,
    clock: initiator.runtime.clock,
    timers: initiator.runtime.timers,
    connections: initiator.table,
  };
  return Session.begin({ id: ID, remoteKey: responder.key, leads: true }, deps) ?? assert.fail("there is memory");
}

/** A session that stands on its first leg. */
async function established(world: World): Promise<{ session: Session; connection: SessionConnection }> {
  const session = beginAt(world);
  const first = await dial(world, { session: ID, leg: 0, ...session.position });
  const admitted = first.admitted();
  const { resume = 0n, window = 0n } = first.answer ?? {};
  session.addLeg(first.opening, { number: 0, route: [], inUse: true, resume, window });
  const connection = await world.sim.run(admitted);
  return { session, connection: connection ?? assert.fail("a first leg gives a connection") };
}

simulationTest("A first leg opens a session, and a further one joins it", async (sim) => {
  await using world = await makeWorld(sim);
  const { session, connection } = await established(world);
  assert.equal(connection.legs.length, 1);
  const further = await dial(world, { session: ID, leg: 5, ...session.position });
  assert.equal(further.answer?.refusal, undefined);
  const admitted = further.admitted();
  const { resume = 0n, window = 0n } = further.answer ?? {};
  session.addLeg(further.opening, { number: 5, route: [], inUse: false, resume, window });
  assert.equal(await sim.run(admitted), undefined);
  assert.deepEqual(connection.legs.map(({ state }) => state), ["in-use", "standby"]);
  assert.equal(world.refused(), 0);
  session.remove();
});

simulationTest(
  "A leg of a session that is not there, of one that is, or with a used number is refused and counted",
  async (sim) => {
    await using world = await makeWorld(sim);
    const other = "ff".repeat(16) as SessionId;
    assert.equal((await dial(world, { session: other, leg: 3 })).answer?.refusal, "unknown-session");
    const { session } = await established(world);
    assert.equal((await dial(world, { session: ID, leg: 0 })).answer?.refusal, "session-in-use");
    const further = await dial(world, { session: ID, leg: 5, ...session.position });
    const admitted = further.admitted();
    session.addLeg(further.opening, { number: 5, route: [], inUse: false, resume: 0n, window: 0n });
    await sim.run(admitted);
    assert.equal((await dial(world, { session: ID, leg: 5 })).answer?.refusal, "leg-used");
    assert.equal(world.refused(), 3);
    session.remove();
  },
);

simulationTest("Another visor that knows the id does not join the session, and hears nothing of it", async (sim) => {
  await using world = await makeWorld(sim);
  const { session } = await established(world);
  const stranger = `02${"5".repeat(64)}` as PublicKey;
  const decision = world.table.decide(stranger, encodeSessionPayload({ session: ID, leg: 1 }), true);
  assert.equal(parseSessionPayload(decision.answer)?.refusal, "unknown-session");
  assert.equal(decision.kind, "refused");
  session.remove();
});

simulationTest("A replayed first message takes nothing away, and its leg is gone after 5 s", async (sim) => {
  await using world = await makeWorld(sim);
  // Whoever replays has no keys for a record, so none comes.
  const early = await dial(world, { session: ID, leg: 0 });
  const lost = assert.rejects(early.admitted(), (error) => hasCode(error, "route/handshake-timeout"));
  const { session, connection } = await established(world);
  const late = await dial(world, { session: ID, leg: 1, resume: 1_000_000n, window: 5n });
  const alsoLost = assert.rejects(late.admitted(), (error) => hasCode(error, "route/handshake-timeout"));
  session.write(new TextEncoder().encode("untouched"));
  const into = new Uint8Array(100);
  assert.equal(await sim.run(connection.read(into)), 9);
  await sim.run(async () => void await Promise.all([lost, alsoLost]), 6_000);
  assert.equal(connection.legs.length, 1);
  // Its number is free for the initiator.
  assert.equal((await dial(world, { session: ID, leg: 1 })).decision.kind, "further");
  session.remove();
});

simulationTest("Without a listener, and without a session in it, a payload leads to a plain route", async (sim) => {
  await using world = await makeWorld(sim);
  const unheard = await dial(world, { session: ID, leg: 0 }, { hasListener: false });
  assert.deepEqual([unheard.decision.kind, unheard.answer], ["plain", undefined]);
  assert.equal((await dial(world, { features: new Set(["several-legs"]) })).decision.kind, "plain");
  assert.equal(world.refused(), 0);
});

simulationTest("Of more than eight legs at a time the next ones are refused", async (sim) => {
  await using world = await makeWorld(sim);
  const { session } = await established(world);
  for (let leg = 1; leg < 8; leg++) {
    const further = await dial(world, { session: ID, leg, ...session.position });
    const admitted = further.admitted();
    session.addLeg(further.opening, { number: leg, route: [], inUse: false, resume: 0n, window: 0n });
    await sim.run(admitted);
  }
  assert.equal((await dial(world, { session: ID, leg: 8 })).answer?.refusal, "not-willing");
  session.remove();
});
