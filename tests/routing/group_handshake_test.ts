/** From a group of two rules to an encrypted one, over real switches on virtual time. */

import assert from "node:assert/strict";
import { generateSecretKey, MAX_NOISE_PAYLOAD_BYTES, NoiseHandshake, publicKeyOf } from "../../lib/core/mod.ts";
import { hasCode, RefusedError } from "../../lib/errors/mod.ts";
import { answerHandshake, initiateHandshake } from "../../lib/routing/group_handshake.ts";
import type { Random } from "../../lib/runtime/mod.ts";
import { concatBytes, type PublicKey, type SecretKey } from "../../lib/types/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import { makeLine } from "./line.ts";
import { makeRawPeer } from "./raw_peer.ts";
import { at } from "../../lib/types/at.ts";

const DATA = 0, HANDSHAKE = 3;
const ENCRYPT = Uint8Array.of(1), PLAINTEXT = Uint8Array.of(0);

simulationTest("initiateHandshake() succeeds when the responder's group comes late", async (sim) => {
  await using line = await makeLine(sim, 2);
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 2)];
  const ends = line.install();
  const initiator = ends.initiator();
  const initiating = initiateHandshake(initiator.group, { ...from, remoteKey: to.key });
  await sim.run(1_500);
  const responder = ends.responder();
  assert.equal(responder.group.offered, true, "the first packet waited for the group");
  await sim.run(Promise.all([initiating, answerHandshake(responder.group, { ...to, remoteKey: from.key })]), 1_000);
});

simulationTest(
  "initiateHandshake() repeats its first packet while nothing comes, and gives up after 5 s",
  async (sim) => {
    await using line = await makeLine(sim, 2);
    const [from, to] = [at(line.nodes, 0), at(line.nodes, 2)];
    sim.partition("n0", "n1");
    const { group } = line.install().initiator();
    const begin = sim.nowMs;
    await assert.rejects(
      sim.run(initiateHandshake(group, { ...from, remoteKey: to.key })),
      (error) => hasCode(error, "route/handshake-timeout"),
    );
    assert.equal(sim.nowMs - begin, 5_000);
    assert.equal(at(line.links, 0)[0].stats().sentPackets, 13, "at once and every 400 ms");
    await sim.run(2_000);
    assert.equal(at(line.links, 0)[0].stats().sentPackets, 13, "and no more when it has given up");
  },
);

simulationTest("initiateHandshake() ends with its signal", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 1)];
  const { group } = line.install().initiator();
  const enough = new AbortController();
  const initiating = initiateHandshake(group, { ...from, remoteKey: to.key, signal: enough.signal });
  enough.abort(new Error("enough"));
  await assert.rejects(sim.run(initiating), /enough/);
});

simulationTest("answerHandshake() refuses a peer that does not hold the key of the descriptor", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 1)];
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
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 1)];
  using other = generateSecretKey(from.runtime.random);
  const ends = line.install();
  const [initiator, responder] = [ends.initiator(), ends.responder()];
  const answering = assert.rejects(answerHandshake(responder.group, { ...to, remoteKey: from.key }));
  await assert.rejects(sim.run(initiateHandshake(initiator.group, { ...from, remoteKey: publicKeyOf(other) })));
  await sim.run(answering);
});

simulationTest("initiateHandshake() and answerHandshake() exchange payloads over hops, of any size", async (sim) => {
  await using line = await makeLine(sim, 2);
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 2)];
  for (const size of [0, 1, 64, 1_024, MAX_NOISE_PAYLOAD_BYTES]) {
    const ends = line.install({ local: 49_153 + size });
    const [initiator, responder] = [ends.initiator(), ends.responder()];
    const question = new Uint8Array(size).fill(7);
    const [answer, asked] = await sim.run(Promise.all([
      initiateHandshake(initiator.group, { ...from, remoteKey: to.key, payload: question }),
      answerHandshake(responder.group, {
        ...to,
        remoteKey: from.key,
        answer: (payload) => payload.map((byte) => byte + 1),
      }),
    ]));
    assert.deepEqual(asked, question);
    assert.deepEqual(answer, new Uint8Array(size).fill(8));
    const [left, right] = [
      from.table.adopt(initiator, { route: [] }),
      to.table.adopt(responder, { route: [] }),
    ];
    await sim.run(left.write(Uint8Array.of(5)));
    const into = new Uint8Array(10);
    assert.equal(await sim.run(right.read(into)), 1);
    assert.equal(into[0], 5, "both have the keys of these payloads");
  }
});

simulationTest("initiateHandshake() and answerHandshake() write empty payloads by default", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 1)];
  const ends = line.install();
  const [initiator, responder] = [ends.initiator(), ends.responder()];
  const payloads = await sim.run(Promise.all([
    initiateHandshake(initiator.group, { ...from, remoteKey: to.key }),
    answerHandshake(responder.group, { ...to, remoteKey: from.key }),
  ]));
  assert.deepEqual(payloads, [new Uint8Array(), new Uint8Array()]);
});

simulationTest("initiateHandshake() takes the empty answer of v1.3, whatever it offered", async (sim) => {
  using remote = generateSecretKey(sim.runtimeFor("remote").random);
  const remoteKey = publicKeyOf(remote);
  await using peer = await makeRawPeer(sim, { remoteKey });
  const payload = new Uint8Array(64).fill(7);
  const initiating = initiateHandshake(peer.opening.group, { ...peer.node, remoteKey, payload });
  await sim.run(peer.receive());
  await sim.run(peer.send(HANDSHAKE, ENCRYPT));
  const { payload: frame } = await sim.run(peer.receive());
  assert.equal(frame.length, 2 + 49 + 64, "one frame in one packet (routing.md §4.4.1)");
  using noise = noiseOf(remote, {
    role: "responder",
    remoteKey: peer.node.key,
    random: sim.runtimeFor("remote").random,
  });
  assert.deepEqual(noise.readMessage(frame.subarray(2)), payload);
  await sim.run(peer.send(DATA, frameOf(noise.writeMessage())));
  assert.deepEqual(await sim.run(initiating), new Uint8Array());
});

simulationTest("answerHandshake() refuses a changed payload, and asks nobody for an answer to it", async (sim) => {
  using remote = generateSecretKey(sim.runtimeFor("remote").random);
  const remoteKey = publicKeyOf(remote);
  await using peer = await makeRawPeer(sim, { remoteKey });
  let asked = 0;
  const answer = (payload: Uint8Array): Uint8Array => (asked++, payload);
  const answering = answerHandshake(peer.opening.group, { ...peer.node, remoteKey, answer });
  const refused = assert.rejects(answering, (error) => hasCode(error, "route/handshake-failed"));
  await sim.run(peer.send(HANDSHAKE, ENCRYPT));
  await sim.run(peer.receive());
  using noise = noiseOf(remote, {
    role: "initiator",
    remoteKey: peer.node.key,
    random: sim.runtimeFor("remote").random,
  });
  const message = noise.writeMessage(new Uint8Array(64));
  message[40] = at(message, 40) ^ 1;
  await sim.run(peer.send(DATA, frameOf(message)));
  await sim.run(refused, 1_000);
  assert.equal(asked, 0);
});

simulationTest("answerHandshake() ends with what its answer throws", async (sim) => {
  await using line = await makeLine(sim, 1);
  const [from, to] = [at(line.nodes, 0), at(line.nodes, 1)];
  const ends = line.install();
  const [initiator, responder] = [ends.initiator(), ends.responder()];
  const initiating = assert.rejects(initiateHandshake(initiator.group, { ...from, remoteKey: to.key }));
  const answer = (): Uint8Array => {
    throw new RefusedError("test/unwilling", "Answer a handshake: not this one");
  };
  await assert.rejects(
    sim.run(answerHandshake(responder.group, { ...to, remoteKey: from.key, answer })),
    (error) => hasCode(error, "test/unwilling"),
  );
  await sim.run(initiating);
});

simulationTest("initiateHandshake() refuses a peer that asks for plaintext", async (sim) => {
  using remote = generateSecretKey(sim.runtimeFor("remote").random);
  await using peer = await makeRawPeer(sim, { remoteKey: publicKeyOf(remote) });
  const initiating = initiateHandshake(peer.opening.group, { ...peer.node, remoteKey: publicKeyOf(remote) });
  const refused = assert.rejects(initiating, (error) => hasCode(error, "route/plaintext-refused"));
  assert.deepEqual((await sim.run(peer.receive())).payload, ENCRYPT);
  await sim.run(peer.send(HANDSHAKE, PLAINTEXT));
  await sim.run(refused, 1_000);
});

simulationTest("answerHandshake() refuses a peer that asks for plaintext", async (sim) => {
  using remote = generateSecretKey(sim.runtimeFor("remote").random);
  await using peer = await makeRawPeer(sim, { remoteKey: publicKeyOf(remote) });
  const answering = answerHandshake(peer.opening.group, { ...peer.node, remoteKey: publicKeyOf(remote) });
  const refused = assert.rejects(answering, (error) => hasCode(error, "route/plaintext-refused"));
  await sim.run(peer.send(HANDSHAKE, PLAINTEXT));
  await sim.run(refused, 1_000);
});

simulationTest("answerHandshake() does not take data without a handshake for a peer of old", async (sim) => {
  using remote = generateSecretKey(sim.runtimeFor("remote").random);
  await using peer = await makeRawPeer(sim, { remoteKey: publicKeyOf(remote) });
  const answering = answerHandshake(peer.opening.group, { ...peer.node, remoteKey: publicKeyOf(remote) });
  const refused = assert.rejects(answering, (error) => hasCode(error, "route/handshake-timeout"));
  await sim.run(peer.send(DATA, new TextEncoder().encode("\0\x05hello")));
  await sim.run(refused, 6_000);
});

simulationTest("answerHandshake() answers each Handshake of a peer that repeats it, as v1.3 does once", async (sim) => {
  using remote = generateSecretKey(sim.runtimeFor("remote").random);
  const remoteKey = publicKeyOf(remote);
  await using peer = await makeRawPeer(sim, { remoteKey });
  const answering = answerHandshake(peer.opening.group, { ...peer.node, remoteKey });
  for (let i = 0; i < 3; i++) {
    await sim.run(peer.send(HANDSHAKE, ENCRYPT));
    assert.equal((await sim.run(peer.receive())).type, HANDSHAKE);
  }
  using noise = noiseOf(remote, {
    role: "initiator",
    remoteKey: peer.node.key,
    random: sim.runtimeFor("remote").random,
  });
  await sim.run(peer.send(DATA, frameOf(noise.writeMessage())));
  const answer = await sim.run(peer.receive());
  assert.equal(answer.type, DATA);
  assert.equal(answer.payload.length, 51, "one frame in one packet (routing.md §4.4.1)");
  noise.readMessage(answer.payload.subarray(2));
  assert.ok(noise.complete);
  await sim.run(answering);
});

/** The test's end of a handshake. */
function noiseOf(
  localSecret: SecretKey,
  { role, remoteKey, random }: { role: "initiator" | "responder"; remoteKey: PublicKey; random: Random },
): NoiseHandshake {
  return new NoiseHandshake({ pattern: "KK", role, localSecret, remoteKey, ephemeral: random.bytes(32) });
}

/** A Noise message with its length. */
function frameOf(message: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(message.length >> 8, message.length & 255), message);
}
