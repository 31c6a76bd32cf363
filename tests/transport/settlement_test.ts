/** Settlement against recorded v1.3 peers, and what goes wrong. */

import assert from "node:assert/strict";
import { generateSecretKey, publicKeyOf, Records } from "../../lib/core/mod.ts";
import { hasCode, RefusedError, SkywireError } from "../../lib/errors/mod.ts";
import { initiateSettlement, receiveSettlement } from "../../lib/transport/settlement.ts";
import type { SettlementOptions } from "../../lib/transport/settlement.ts";
import type { SecureLink } from "../../lib/links/secure_link.ts";
import { parseHex, SecretKey } from "../../lib/types/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import { isV13, NO_FEATURES, OUR_FEATURES, type PeerFeatures } from "../../lib/wire/peer_features.ts";
import {
  encodeSignedEntryLine,
  formatSignedEntry,
  makeTransportEntry,
  parseSignedEntry,
  signTransportEntry,
  type TransportEntry,
  verifyTransportEntry,
} from "../../lib/wire/transport_entry.ts";
import { createSeededRandom, createSimulation, simulationTest } from "../fakes/mod.ts";
import { testVectors } from "../wire/vectors.ts";
import { createScriptedLink } from "./scripted_link.ts";
import type { ScriptedLink } from "./scripted_link.ts";
import { acceptSettlement } from "./settle.ts";

testVectors("transport_entry.json", {
  id: { elsewhere: "tests/wire/transport_entry_test.ts" },
  entry: { elsewhere: "tests/wire/transport_entry_test.ts" },
  entry_self: { elsewhere: "tests/wire/transport_entry_test.ts" },
  async settlement_initiator(data): Promise<void> {
    using secret = new SecretKey(parseHex(data.initiator_sk));
    const peer = makePeer(data.responder_pk, (records) => [records.seal(parseHex(data.reply))], "initiator");
    const settling = initiateSettlement(peer.secure, settlementOptions(secret, data.type));
    if (data.accepted) {
      const { early } = await settling;
      assert.equal(early.toHex(), data.reply.slice(2));
    } else {
      await assert.rejects(settling, SkywireError);
    }
    // One write, equal but for our signature.
    assert.equal(peer.link.written.length, data.sent.length);
    const sent = new TextDecoder().decode(peer.opened());
    assert.ok(sent.endsWith("\n"));
    const signed = parseSignedEntry(sent), recorded = parseSignedEntry(data.sent_text);
    assert.ok(!(signed instanceof Fault) && !(recorded instanceof Fault));
    assert.deepEqual(signed.entry, recorded.entry);
    assert.ok(verifyTransportEntry(signed, data.initiator_pk));
    assert.equal(sent.length, data.sent_text.length);
  },
  async settlement_responder(data): Promise<void> {
    using secret = new SecretKey(parseHex(data.responder_sk));
    const received = new TextEncoder().encode(data.received);
    const peer = makePeer(data.initiator_pk, (records) => received.length === 0 ? [] : [records.seal(received)]);
    const settling = acceptSettlement(peer.secure, settlementOptions(secret, data.type));
    if (data.accepted) {
      const { signed } = await settling;
      const [posted] = JSON.parse(data.posted_to_discovery);
      const recorded = parseSignedEntry(JSON.stringify(posted));
      assert.ok(!(recorded instanceof Fault));
      assert.ok(verifyTransportEntry(signed, data.responder_pk));
      const own = signed.entry.edges[0] === data.responder_pk ? 0 : 1;
      const signatures = own === 0
        ? [signed.signatures[0], recorded.signatures[1]] as const
        : [recorded.signatures[0], signed.signatures[1]] as const;
      assert.equal(`[${formatSignedEntry(signed)}]`, `[${formatSignedEntry({ ...recorded, signatures })}]`);
    } else {
      await assert.rejects(settling, SkywireError);
    }
    assert.equal(peer.opened().toHex(), data.reply);
  },
});

function settlementOptions(secret: SecretKey, kind: string): SettlementOptions {
  const { clock, timers } = createSimulation({ seed: 1 }).runtimeFor("x");
  return { clock, timers, local: { publicKey: publicKeyOf(secret), secret }, kind };
}

interface Peer {
  readonly link: ScriptedLink;
  readonly secure: SecureLink;
  /** What was sent to the peer, in plaintext. Disposes everything. */
  opened(): Uint8Array;
}

/** A peer that sends prepared records: before our first write, or after it when we are the initiator. */
function makePeer(
  remoteKey: PublicKey,
  send: (records: Records) => Uint8Array[],
  us: "initiator" | "responder" = "responder",
): Peer {
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const ours = Records.ofKeys({ send: one, receive: two }), theirs = Records.ofKeys({ send: two, receive: one });
  const peerWrites = send(theirs).filter((bytes) => bytes.length > 0).map((bytes) => ({
    from: "peer" as const,
    bytes,
  }));
  const ourTurn = { from: "us" as const, bytes: new Uint8Array() };
  const link = createScriptedLink(us === "initiator" ? [ourTurn, ...peerWrites] : [...peerWrites]);
  return {
    link,
    secure: { link, records: ours, remoteKey },
    opened(): Uint8Array {
      for (const bytes of link.written) theirs.push(bytes);
      const plaintext = new Uint8Array(theirs.available);
      theirs.read(plaintext);
      for (const records of [ours, theirs]) records[Symbol.dispose]();
      return plaintext;
    },
  };
}

const ALICE = generateSecretKey(createSeededRandom("alice")), BOB = generateSecretKey(createSeededRandom("bob"));

/** The request that Alice would send to Bob. */
async function requestOfAlice(): Promise<Uint8Array> {
  const peer = makePeer(publicKeyOf(BOB), (records) => [records.seal(new Uint8Array([1]))], "initiator");
  await initiateSettlement(peer.secure, settlementOptions(ALICE, "stcp"));
  return peer.opened();
}

Deno.test("receiveSettlement() answers 00 when the transport is not wanted", async () => {
  const request = await requestOfAlice();
  const peer = makePeer(publicKeyOf(ALICE), (records) => [records.seal(request)]);
  using asked = await receiveSettlement(peer.secure, settlementOptions(BOB, "stcp"));
  await assert.rejects(asked.reject(), (e) => e instanceof RefusedError && hasCode(e, "transport/settlement-unwanted"));
  assert.equal(peer.opened().toHex(), "00");
});

Deno.test("receiveSettlement() takes a request in any split, and hands on packets that come with it", async () => {
  const request = await requestOfAlice();
  const peer = makePeer(publicKeyOf(ALICE), (records) => [
    records.seal(request.subarray(0, 1)),
    records.seal(request.subarray(1, 300)),
    records.seal(new Uint8Array([...request.subarray(300), 9, 9])),
  ]);
  const { early } = await acceptSettlement(peer.secure, settlementOptions(BOB, "stcp"));
  assert.equal(early.toHex(), "0909");
  assert.equal(peer.opened().toHex(), "01");
});

Deno.test("receiveSettlement() does not read for ever: a request beyond 4 KiB is refused", async () => {
  const endless = new TextEncoder().encode(`{"entry":"${"x".repeat(8_000)}`);
  const peer = makePeer(publicKeyOf(ALICE), (records) => [records.seal(endless)]);
  await assert.rejects(
    acceptSettlement(peer.secure, settlementOptions(BOB, "stcp")),
    (e) => hasCode(e, "transport/settlement-invalid"),
  );
  assert.equal(peer.opened().toHex(), "03");
});

simulationTest("settlement ends after 20 s with a silent peer, and at once when aborted", async (sim) => {
  const { clock, timers } = sim.runtimeFor("a");
  for (const settle of [initiateSettlement, acceptSettlement]) {
    const started = sim.nowMs;
    const peer = makePeer(publicKeyOf(BOB), () => []);
    const secure: SecureLink = { ...peer.secure, link: { ...peer.link, read: () => new Promise(() => {}) } };
    const options = { ...settlementOptions(ALICE, "stcp"), clock, timers };
    await assert.rejects(sim.run(settle(secure, options)), (e) => hasCode(e, "transport/settlement-timeout"));
    assert.equal(sim.nowMs - started, 20_000);
    const signal = AbortSignal.abort(new Error("stop"));
    await assert.rejects(sim.run(settle(secure, { ...options, signal })), /stop/);
    peer.opened();
  }
});

Deno.test("two visors of ours learn at settlement that both answer pings, and one of v1.3 is told nothing", async () => {
  const requested = async (has: PeerFeatures): Promise<{ text: string; request: Uint8Array }> => {
    const peer = makePeer(publicKeyOf(BOB), (records) => [records.seal(new Uint8Array([1, 0xa5]))], "initiator");
    const { features, early } = await initiateSettlement(peer.secure, {
      ...settlementOptions(ALICE, "stcp"),
      features: has,
    });
    assert.deepEqual([features, early.toHex()], [has, isV13(has) ? "a5" : ""]);
    const request = peer.opened();
    return { text: new TextDecoder().decode(request), request };
  };
  const [ours, theirs] = [await requested(OUR_FEATURES), await requested(NO_FEATURES)];
  assert.equal(ours.text.replace(',"answers_pings":true', ""), theirs.text);
  for (
    const [request, features, answer] of [
      [ours.request, OUR_FEATURES, "01a5"],
      [ours.request, NO_FEATURES, "01"],
      [theirs.request, OUR_FEATURES, "01"],
    ] as const
  ) {
    const peer = makePeer(publicKeyOf(ALICE), (records) => [records.seal(request)]);
    const agreed = (await acceptSettlement(peer.secure, { ...settlementOptions(BOB, "stcp"), features })).features;
    assert.deepEqual([agreed.has("transport-pings"), peer.opened().toHex()], [answer === "01a5", answer]);
  }
});

Deno.test("receiveSettlement() refuses an entry with another id, other edges, or edges in another order", async () => {
  const alice = { publicKey: publicKeyOf(ALICE), secret: ALICE };
  const [a, b, c] = [ALICE, BOB, generateSecretKey(createSeededRandom("carol"))].map(publicKeyOf) as [
    PublicKey,
    PublicKey,
    PublicKey,
  ];
  const good = makeTransportEntry(a, b, { kind: "stcp", label: "user" });
  const cases: [TransportEntry, string][] = [
    [good, "01"],
    [{ ...good, id: makeTransportEntry(a, c, { kind: "stcp", label: "user" }).id }, "03"],
    [{ ...good, edges: [good.edges[1], good.edges[0]] }, "03"],
    [{ ...good, edges: [a, c] }, "03"],
    [{ ...good, edges: [c, a] }, "03"],
    [{ ...good, kind: "stcpr" }, "03"],
  ];
  for (const [entry, answer] of cases) {
    const request = encodeSignedEntryLine(signTransportEntry(entry, alice));
    const peer = makePeer(a, (records) => [records.seal(request)]);
    const settling = acceptSettlement(peer.secure, settlementOptions(BOB, "stcp"));
    if (answer === "01") await settling;
    else await assert.rejects(settling, (error) => hasCode(error, "transport/settlement-invalid"));
    assert.equal(peer.opened().toHex(), answer);
  }
});
