/** Connection set-up against recorded v1.3 peers, and against peers that misbehave. */

import assert from "node:assert/strict";
import { generateSecretKey, publicKeyOf } from "../../lib/core/mod.ts";
import { hasCode, ProtocolError, RefusedError, SkywireError } from "../../lib/errors/mod.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { LinkReader } from "../../lib/links/link_reader.ts";
import { discardSecureLink, readSecure, writeSecure } from "../../lib/links/secure_link.ts";
import { initiateSettlement } from "../../lib/transport/settlement.ts";
import {
  acceptHandshake,
  checkInitiator,
  dialHandshake,
  proveInitiator,
  WRONG_KEY_MESSAGE,
} from "../../lib/transport/stcp_handshake.ts";
import type { HandshakeIdentity } from "../../lib/transport/stcp_handshake.ts";
import { concatBytes, parseHex, SecretKey } from "../../lib/types/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import {
  decodeFrame1,
  decodeFrame2,
  encodeFrame1,
  encodeFrame2,
  signFrame2,
  verifyFrame2,
} from "../../lib/wire/stcp_frames.ts";
import { formatSignedEntry, verifyTransportEntry } from "../../lib/wire/transport_entry.ts";
import { linkPair } from "../fakes/link_pair.ts";
import { createSeededRandom, createSimulation, simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { testVectors } from "../wire/vectors.ts";
import type { VectorCase } from "../wire/vectors.ts";
import { createScriptedLink, createScriptedRandom } from "./scripted_link.ts";
import type { ScriptedWrite } from "./scripted_link.ts";
import { acceptSettlement } from "./settle.ts";

testVectors("stcp_handshake.json", {
  async full(data): Promise<void> {
    await playResponder(data);
    await playInitiator(data);
  },
  frame2: { elsewhere: "tests/wire/stcp_frames_test.ts" },
  async responder(data): Promise<void> {
    const link = createScriptedLink(scriptOf(data, "responder"));
    const checking = checkInitiator(link, new LinkReader(link), {
      local: { publicKey: data.responder_pk },
      isListening: (port) => port === data.listening_port,
      runtime: { random: createScriptedRandom(...nonceOf(data)) },
    });
    // v1.3 does not look at the key in DstAddr; we do (transports.md §10, W1).
    const forAnother = data.accepted && !data.local.startsWith(data.responder_pk);
    if (data.accepted && !forAnother) {
      assert.equal(await checking, data.remote.split(":")[0]);
    } else {
      await assert.rejects(checking, SkywireError);
    }
    const expected = writesOf(data, "responder");
    assert.deepEqual(
      link.written.map(asText),
      forAnother ? [expected[0], `{"OK":false,"ErrMsg":"${WRONG_KEY_MESSAGE}"}\n`] : expected,
    );
  },
  async initiator(data): Promise<void> {
    const link = createScriptedLink(scriptOf(data, "initiator"));
    using secret = new SecretKey(parseHex(data.initiator_sk));
    const proving = proveInitiator(link, new LinkReader(link), {
      local: { publicKey: data.initiator_pk, secret },
      sourcePort: data.source_port,
      remote: { publicKey: data.responder_pk, port: 45 },
    });
    if (data.accepted) await proving;
    else await assert.rejects(proving, SkywireError);
    assertSameButSigned(link.written, writesOf(data, "initiator"));
  },
});

/** The recorded v1.3 initiator against our responder: all that we send is determined, and must be equal. */
async function playResponder(data: VectorCase): Promise<void> {
  const link = createScriptedLink(scriptOf(data, "responder"));
  using secret = new SecretKey(parseHex(data.responder_sk));
  const local = { publicKey: data.responder_pk as PublicKey, secret };
  const { clock, timers } = createSimulation({ seed: 1 }).runtimeFor("responder");
  const random = createScriptedRandom(parseHex(data.nonce), parseHex(data.responder_ephemeral_sk));
  const secure = await acceptHandshake(link, {
    runtime: { timers, random },
    local,
    isListening: (port) => port === data.destination_port,
  });
  assert.equal(secure.remoteKey, data.initiator_pk);
  const settled = await acceptSettlement(secure, { clock, timers, local, kind: data.type });
  // Signatures are random: ours differs from the recorded one, everything else is equal.
  assert.ok(verifyTransportEntry(settled.signed, local.publicKey));
  assert.equal(
    withoutSignature(`[${formatSignedEntry(settled.signed)}]`, local.publicKey),
    withoutSignature(data.posted_to_discovery, local.publicKey),
  );

  const { records } = secure;
  assert.deepEqual(link.written.map((bytes) => bytes.toHex()), hexWritesOf(data, "responder").slice(0, 4));
  const packets = data.packet_plaintexts as { from: string; plaintext: string }[];
  const sealed = packets.filter(({ from }) => from === "responder").map(({ plaintext }) =>
    records.seal(parseHex(plaintext))
  );
  assert.deepEqual(sealed.map((bytes) => bytes.toHex()), hexWritesOf(data, "responder").slice(4));
  for (const hex of hexWritesOf(data, "initiator").slice(4)) records.push(parseHex(hex));
  const opened = new Uint8Array(records.available);
  records.read(opened);
  assert.equal(opened.toHex(), packets.filter(({ from }) => from === "initiator").map((p) => p.plaintext).join(""));
  records[Symbol.dispose]();
}

/** Our initiator against the recorded v1.3 responder: all but our two signatures is determined. */
async function playInitiator(data: VectorCase): Promise<void> {
  const link = createScriptedLink(scriptOf(data, "initiator"));
  using secret = new SecretKey(parseHex(data.initiator_sk));
  const local = { publicKey: data.initiator_pk as PublicKey, secret };
  const { clock, timers } = createSimulation({ seed: 1 }).runtimeFor("initiator");
  const secure = await dialHandshake(link, {
    runtime: { timers, random: createScriptedRandom(parseHex(data.initiator_ephemeral_sk)) },
    local,
    sourcePort: data.source_port,
    remote: { publicKey: data.responder_pk, port: data.destination_port },
  });
  const { signed } = await initiateSettlement(secure, { clock, timers, local, kind: data.type });
  assert.equal(
    withoutSignature(`${formatSignedEntry(signed)}\n`, local.publicKey),
    withoutSignature(data.settlement_plaintext, local.publicKey),
  );
  const expected = hexWritesOf(data, "initiator");
  assertSameButSigned(link.written.slice(0, 2), writesOf(data, "initiator").slice(0, 2));
  assert.equal(link.written[2]?.toHex(), expected[2]);
  assert.equal(link.written[3]?.length, (expected[3] as string).length / 2);
  secure.records[Symbol.dispose]();
}

/** Blanks the signature of one edge. */
function withoutSignature(json: string, key: PublicKey): string {
  const { entry } = JSON.parse(json.startsWith("[") ? json.slice(1, -1) : json) as { entry: { edges: string[] } };
  let slot = -1;
  return json.replaceAll(/"[0-9a-f]{130}"/g, (text) => ++slot === entry.edges.indexOf(key) ? '"ours"' : text);
}

function assertSameButSigned(written: readonly Uint8Array[], expected: readonly string[]): void {
  assert.equal(written.length, expected.length);
  expected.forEach((text, i) => {
    const ours = asText(written[i] as Uint8Array);
    if (!text.includes('"Sig"')) return assert.equal(ours, text);
    const frame = decodeFrame2(ours);
    assert.ok(!(frame instanceof Fault) && verifyFrame2(frame));
    const blank = (json: string): string => json.replace(/"Sig":"[0-9a-f]+"/, '"Sig":""');
    assert.equal(blank(ours), blank(text));
  });
}

const asText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function hexWritesOf(data: VectorCase, role: string): string[] {
  return data.wire.filter(({ from }: { from: string }) => from === role).map(({ bytes }: { bytes: string }) => bytes);
}

function writesOf(data: VectorCase, role: string): string[] {
  return hexWritesOf(data, role).map((hex) => asText(parseHex(hex)));
}

function scriptOf(data: VectorCase, us: "initiator" | "responder"): ScriptedWrite[] {
  return data.wire.map(({ from, bytes }: { from: string; bytes: string }): ScriptedWrite => ({
    from: from === us ? "us" : "peer",
    bytes: parseHex(bytes),
  }));
}

/** The nonce that v1.3 sent in F1; undefined when it did not come so far. */
function nonceOf(data: VectorCase): Uint8Array[] {
  const frame1 = writesOf(data, "responder")[0];
  const nonce = frame1 === undefined ? undefined : decodeFrame1(frame1);
  return nonce === undefined || nonce instanceof Fault ? [] : [nonce];
}

function makeIdentity(name: string): HandshakeIdentity {
  const secret = generateSecretKey(createSeededRandom(name));
  return { secret, publicKey: publicKeyOf(secret) };
}

const ALICE = makeIdentity("alice"), BOB = makeIdentity("bob");

function accept(sim: Simulation, link: ByteLink): ReturnType<typeof acceptHandshake> {
  return acceptHandshake(link, { runtime: sim.runtimeFor("b"), local: BOB, isListening: (port) => port === 45 });
}

function dial(sim: Simulation, link: ByteLink, remoteKey = BOB.publicKey, port = 45): ReturnType<typeof dialHandshake> {
  const remote = { publicKey: remoteKey, port };
  return dialHandshake(link, { runtime: sim.runtimeFor("a"), local: ALICE, sourcePort: 49_153, remote });
}

simulationTest("both sides end with the other's key and records that understand each other", async (sim) => {
  const [a, b] = linkPair();
  const [dialled, accepted] = await sim.run(Promise.all([dial(sim, a), accept(sim, b)]));
  assert.deepEqual([dialled.remoteKey, accepted.remoteKey], [BOB.publicKey, ALICE.publicKey]);
  accepted.records.push(dialled.records.seal(new Uint8Array([1, 2, 3])));
  assert.equal(accepted.records.available, 3);
  for (const { link, records } of [dialled, accepted]) {
    link.close();
    records[Symbol.dispose]();
  }
});

simulationTest("a peer that is not listening, or not the one asked for, says so", async (sim) => {
  for (
    const [key, port, code, message] of [
      [BOB.publicKey, 46, "transport/not-listening", "not listening on given port"],
      [ALICE.publicKey, 45, "transport/wrong-destination", WRONG_KEY_MESSAGE],
    ] as const
  ) {
    const [a, b] = linkPair();
    const [dialled, accepted] = await sim.run(Promise.allSettled([dial(sim, a, key, port), accept(sim, b)]));
    assert.ok(dialled.status === "rejected" && accepted.status === "rejected");
    assert.ok(dialled.reason instanceof RefusedError && dialled.reason.details.message === message);
    assert.ok(hasCode(accepted.reason, code));
    assert.deepEqual(await sim.run(Promise.all([a.read(new Uint8Array(1)), b.read(new Uint8Array(1))])), [null, null]);
  }
});

simulationTest("a silent peer is given up after 10 s in the first stage and 5 s in the Noise stage", async (sim) => {
  const [a, b] = linkPair();
  let started = sim.nowMs;
  await assert.rejects(sim.run(accept(sim, b)), (e) => hasCode(e, "transport/handshake-timeout"));
  assert.equal(sim.nowMs - started, 10_000);
  assert.equal(await a.read(new Uint8Array(1)), null);

  const [c, d] = linkPair();
  started = sim.nowMs;
  const reader = new LinkReader(c);
  const proving = proveInitiator(c, reader, {
    local: ALICE,
    sourcePort: 49_153,
    remote: { publicKey: BOB.publicKey, port: 45 },
  });
  await assert.rejects(sim.run(accept(sim, d)), (e) => hasCode(e, "transport/handshake-timeout"));
  await proving;
  assert.equal(sim.nowMs - started, 5_000);
  c.close();
});

simulationTest("an aborted dial closes the link and rejects with the reason", async (sim) => {
  const [a, b] = linkPair();
  const leaving = new AbortController();
  const dialling = dialHandshake(a, {
    runtime: sim.runtimeFor("a"),
    local: ALICE,
    sourcePort: 49_153,
    remote: { publicKey: BOB.publicKey, port: 45 },
    signal: leaving.signal,
  });
  leaving.abort(new Error("no longer wanted"));
  await assert.rejects(sim.run(dialling), /no longer wanted/);
  assert.equal(await b.read(new Uint8Array(16)), 9);
  assert.equal(await b.read(new Uint8Array(16)), null);
  b.close();
});

simulationTest("every truncation of a good initiator ends in an error, never in a link", async (sim) => {
  const sent = await recordInitiator(sim);
  const whole = sent.reduce((length, part) => length + part.length, 0);
  for (let cut = whole; cut >= 0; cut -= cut > whole - 60 ? 1 : 23) {
    const [a, b] = linkPair();
    const accepting = acceptAgain(sim, b);
    accepting.catch(() => {});
    let left = cut;
    for (const part of sent) {
      await a.write(part.subarray(0, left));
      left -= Math.min(left, part.length);
      if (left === 0) break;
      if (await a.read(new Uint8Array(512)) === null) break;
    }
    a.close();
    if (cut < whole) await assert.rejects(sim.run(accepting), SkywireError, `cut after ${cut} bytes`);
    else discardSecureLink(await sim.run(accepting));
  }
});

/** A responder that draws the same nonce and ephemeral secret each time, so that what it was sent once is good again. */
function acceptAgain(sim: Simulation, link: ByteLink): ReturnType<typeof acceptHandshake> {
  const runtime = { ...sim.runtimeFor("b"), random: createSeededRandom("again") };
  return acceptHandshake(link, { runtime, local: BOB, isListening: (port) => port === 45 });
}

/** What an initiator sends to {@link acceptAgain}. */
async function recordInitiator(sim: Simulation): Promise<Uint8Array[]> {
  const [a, b] = linkPair();
  const sent: Uint8Array[] = [];
  const recording: ByteLink = {
    ...a,
    write(bytes): Promise<void> {
      sent.push(bytes.slice());
      return a.write(bytes);
    },
  };
  const links = await sim.run(Promise.all([dial(sim, recording), acceptAgain(sim, b)]));
  for (const secure of links) discardSecureLink(secure);
  return sent;
}

simulationTest("a record that comes together with the answer of Noise is not lost", async (sim) => {
  const [a, b] = linkPair();
  let held: Uint8Array | undefined;
  const holding: ByteLink = {
    ...b,
    async write(bytes): Promise<void> {
      // The answer of Noise waits for what comes next.
      if (bytes.length === 51) held = bytes.slice();
      else await b.write(held === undefined ? bytes : concatBytes(held, bytes));
    },
  };
  const dialling = dial(sim, a);
  const accepted = await sim.run(accept(sim, holding));
  await writeSecure(accepted, Uint8Array.of(1, 2, 3));
  const dialled = await sim.run(dialling);
  assert.deepEqual(await readSecure(dialled), Uint8Array.of(1, 2, 3));
  for (const secure of [dialled, accepted]) discardSecureLink(secure);
});

simulationTest("a Noise message is refused by its length alone when it is longer than 4,094 bytes", async (sim) => {
  for (
    const [length, code] of [[4_094, "transport/handshake-timeout"], [4_095, "transport/handshake-malformed"]] as const
  ) {
    const [a, b] = linkPair();
    const accepting = accept(sim, b);
    accepting.catch(() => {});
    const remote = { publicKey: BOB.publicKey, port: 45 };
    await sim.run(proveInitiator(a, new LinkReader(a), { local: ALICE, sourcePort: 1, remote }));
    await a.write(Uint8Array.of(length >> 8, length & 0xff));
    await assert.rejects(sim.run(accepting), (error) => hasCode(error, code));
    a.close();
  }
});

simulationTest("garbage in place of any message ends in an error", async (sim) => {
  const random = createSeededRandom("garbage");
  for (const length of [1, 9, 10, 100, 5_000]) {
    const [a, b] = linkPair();
    await a.write(random.bytes(length));
    await assert.rejects(sim.run(accept(sim, b)), SkywireError);
    a.close();

    const [c, d] = linkPair();
    await d.write(random.bytes(length));
    d.close();
    await assert.rejects(sim.run(dial(sim, c)), SkywireError);
  }
});

simulationTest("Noise messages that are forged, oversized or not on the curve are refused", async (sim) => {
  const random = createSeededRandom("noise");
  for (
    const message of [random.bytes(49), new Uint8Array(49), new Uint8Array(0), random.bytes(4_094), random.bytes(5_000)]
  ) {
    const [a, b] = linkPair();
    const accepting = accept(sim, b);
    accepting.catch(() => {});
    const remote = { publicKey: BOB.publicKey, port: 45 };
    await sim.run(proveInitiator(a, new LinkReader(a), { local: ALICE, sourcePort: 1, remote }));
    await a.write(new Uint8Array([message.length >> 8, message.length & 0xff, ...message]));
    await assert.rejects(sim.run(accepting), ProtocolError);
    a.close();
  }
});

simulationTest("a newline that comes late, or not at all, does not disturb the Noise stage", async (sim) => {
  for (const late of [true, false]) {
    const [a, b] = linkPair();
    const accepting = accept(sim, b);
    const into = new Uint8Array(512);
    await a.write(new TextEncoder().encode("get_nonce"));
    const nonce = decodeFrame1(asText(into.subarray(0, await sim.run(a.read(into)) ?? 0)));
    assert.ok(!(nonce instanceof Fault));
    const destination = { publicKey: BOB.publicKey, port: 45 };
    const source = { publicKey: ALICE.publicKey, port: 1 };
    await a.write(encodeFrame2(signFrame2({ source, destination, nonce }, ALICE.secret)).slice(0, -1));
    await sim.run(a.read(into));
    if (late) await a.write(new Uint8Array([0x0a]));
    // The rest by our own initiator, which believes that its first stage was spoken.
    const replay: ByteLink = { ...a, read: a.read, write: a.write };
    const dialling = resumeNoise(sim, replay);
    const [dialled, accepted] = await sim.run(Promise.all([dialling, accepting]));
    assert.equal(accepted.remoteKey, ALICE.publicKey);
    for (const { link, records } of [dialled, accepted]) {
      link.close();
      records[Symbol.dispose]();
    }
  }
});

/** Runs an initiator whose plaintext stage is answered by a stand-in, so that only Noise reaches the peer. */
function resumeNoise(sim: Simulation, link: ByteLink): ReturnType<typeof dialHandshake> {
  const answers = [encodeFrame1(new Uint8Array(16)), new TextEncoder().encode('{"OK":true,"ErrMsg":""}\n')];
  let writes = 0;
  return dial(sim, {
    ...link,
    read(into): Promise<number | null> {
      const answer = answers.shift();
      if (answer === undefined) return link.read(into);
      into.set(answer);
      return Promise.resolve(answer.length);
    },
    write: (bytes): Promise<void> => writes++ < 2 ? Promise.resolve() : link.write(bytes),
  });
}
