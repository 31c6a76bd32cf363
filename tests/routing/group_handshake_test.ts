/** From a group of two rules to an encrypted one, over real switches on virtual time. */

import assert from "node:assert/strict";
import { generateSecretKey, publicKeyOf } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import { answerHandshake, initiateHandshake } from "../../lib/routing/group_handshake.ts";
import { simulationTest } from "../fakes/mod.ts";
import { makeLine } from "./line.ts";

simulationTest("initiateHandshake() succeeds when the responder's group comes late", async (sim) => {
  await using line = await makeLine(sim, 2);
  const [from, to] = [line.nodes[0]!, line.nodes[2]!];
  const ends = line.install();
  const initiator = ends.initiator();
  const initiating = initiateHandshake(initiator.group, { ...from, remoteKey: to.key });
  await sim.run(1_500);
  const responder = ends.responder();
  await sim.run(Promise.all([initiating, answerHandshake(responder.group, { ...to, remoteKey: from.key })]), 1_000);
});

simulationTest(
  "initiateHandshake() repeats its first packet while nothing comes, and gives up after 5 s",
  async (sim) => {
    await using line = await makeLine(sim, 2);
    const [from, to] = [line.nodes[0]!, line.nodes[2]!];
    sim.partition("n0", "n1");
    const { group } = line.install().initiator();
    const begin = sim.nowMs;
    await assert.rejects(
      sim.run(initiateHandshake(group, { ...from, remoteKey: to.key })),
      (error) => hasCode(error, "route/handshake-timeout"),
    );
    assert.equal(sim.nowMs - begin, 5_000);
    assert.equal(line.links[0]![0].stats().sentPackets, 13, "at once and every 400 ms");
  },
);

simulationTest("initiateHandshake() ends with its signal", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [line.nodes[0]!, line.nodes[1]!];
  const { group } = line.install().initiator();
  const enough = new AbortController();
  const initiating = initiateHandshake(group, { ...from, remoteKey: to.key, signal: enough.signal });
  enough.abort(new Error("enough"));
  await assert.rejects(sim.run(initiating), /enough/);
});

simulationTest("answerHandshake() refuses a peer that does not hold the key of the descriptor", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [line.nodes[0]!, line.nodes[1]!];
  using other = generateSecretKey(from.runtime.random);
  const ends = line.install();
  const [initiator, responder] = [ends.initiator(), ends.responder()];
  const initiating = initiateHandshake(initiator.group, { ...from, secret: other, remoteKey: to.key });
  const failed = assert.rejects(initiating);
  await assert.rejects(
    sim.run(answerHandshake(responder.group, { ...to, remoteKey: from.key })),
    (error) => hasCode(error, "route/handshake-failed"),
  );
  await sim.run(failed);
});

simulationTest("initiateHandshake() refuses a responder with another key", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [line.nodes[0]!, line.nodes[1]!];
  using other = generateSecretKey(from.runtime.random);
  const ends = line.install();
  const [initiator, responder] = [ends.initiator(), ends.responder()];
  const answering = assert.rejects(answerHandshake(responder.group, { ...to, remoteKey: from.key }));
  await assert.rejects(sim.run(initiateHandshake(initiator.group, { ...from, remoteKey: publicKeyOf(other) })));
  await sim.run(answering);
});
