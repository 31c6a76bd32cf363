/** Links set up over drivers: who is reached, who is taken, and that a link which is not handed over is closed. */

import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { BugError, hasCode } from "../../lib/errors/mod.ts";
import { discardSecureLink } from "../../lib/links/secure_link.ts";
import { type ByteLink, sleep } from "../../lib/runtime/mod.ts";
import type { RawLink, TransportDriver } from "../../lib/transport/driver.ts";
import { LinkSetup } from "../../lib/transport/link_setup.ts";
import { acceptHandshake, dialHandshake } from "../../lib/transport/stcp_handshake.ts";
import type { HandshakeIdentity } from "../../lib/transport/stcp_handshake.ts";
import { initiateSettlement, receiveSettlement } from "../../lib/transport/settlement.ts";
import { OUR_FEATURES } from "../../lib/wire/peer_features.ts";
import { linkPair } from "../fakes/link_pair.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { KEY_A, KEY_B, KEY_C, SECRET_A, SECRET_B } from "./drivers/keys.ts";

const A = { publicKey: KEY_A, secret: SECRET_A }, B = { publicKey: KEY_B, secret: SECRET_B };

function setupOf(sim: Simulation, local: HandshakeIdentity): LinkSetup {
  return new LinkSetup({ runtime: sim.runtimeFor("x"), local, features: OUR_FEATURES });
}

/** The link, and whether it was closed from here. */
function watched(link: ByteLink): { readonly link: RawLink; readonly isClosed: () => boolean } {
  let isClosed = false;
  return {
    link: {
      remoteAddress: link.remoteAddress,
      read: (into) => link.read(into),
      write: (bytes) => link.write(bytes),
      close(): void {
        isClosed = true;
        link.close();
      },
    },
    isClosed: () => isClosed,
  };
}

/** A driver that dials like this. */
function driverOf(dial: TransportDriver["dial"]): TransportDriver {
  return {
    kind: "test",
    isRelayed: false,
    findsByKey: true,
    dial,
    listen: () => Promise.reject(new Error("not here")),
  };
}

const settlement = (sim: Simulation, local: HandshakeIdentity) => {
  const { clock, timers } = sim.runtimeFor("x");
  return { clock, timers, local, kind: "test" };
};

const dialOptions = (signal: AbortSignal = new AbortController().signal) => ({
  address: "",
  remoteKey: KEY_B,
  signal,
  onCommit: () => {},
});

/** The responder of the handshake, as B. */
const answerAsB = (sim: Simulation, link: ByteLink) =>
  acceptHandshake(link, { runtime: sim.runtimeFor("x"), local: B, isListening: () => true });

simulationTest("a driver that reaches another visor than the one asked for is a mistake of the driver", async (sim) => {
  const [near, far] = linkPair();
  const { records } = (await sim.run(Promise.all([
    dialHandshake(near, {
      runtime: sim.runtimeFor("x"),
      local: A,
      sourcePort: 49_153,
      remote: { publicKey: KEY_B, port: 45 },
    }),
    answerAsB(sim, far),
  ])))[0];
  const { link, isClosed } = watched(near);
  const driver = driverOf(() => Promise.resolve({ ...link, proven: { remoteKey: KEY_C, records } }));
  await assert.rejects(
    sim.run(setupOf(sim, A).dial(driver, dialOptions())),
    (error) => error instanceof BugError && hasCode(error, "transport/wrong-peer"),
  );
  assert.equal(isClosed(), true);
  assert.throws(() => records.seal(new Uint8Array(1)), "the records are disposed");
});

simulationTest("a dialled link whose settlement is refused is closed", async (sim) => {
  const [near, far] = linkPair();
  const { link, isClosed } = watched(near);
  const dialling = setupOf(sim, A).dial(driverOf(() => Promise.resolve(link)), dialOptions());
  const answering = (async () => {
    const secure = await answerAsB(sim, far);
    using request = await receiveSettlement(secure, settlement(sim, B));
    await request.reject().catch(() => {});
    return secure;
  })();
  await assert.rejects(sim.run(dialling), (error) => hasCode(error, "transport/settlement-refused"));
  assert.equal(isClosed(), true);
  discardSecureLink(await sim.run(answering));
});

simulationTest("a link that comes after its dial was given up is closed", async (sim) => {
  const { timers } = sim.runtimeFor("x");
  for (const isAborted of [true, false]) {
    const { link, isClosed } = watched(linkPair()[0]);
    const leaving = new AbortController();
    const driver = driverOf(async () => {
      await sleep(timers, 11_000);
      return link;
    });
    const dialling = setupOf(sim, A).dial(driver, dialOptions(leaving.signal));
    if (isAborted) leaving.abort(new Error("superseded"));
    await assert.rejects(
      sim.run(dialling),
      (error) => isAborted ? /superseded/.test(String(error)) : hasCode(error, "transport/dial-timeout"),
    );
    await sim.run(12_000);
    assert.equal(isClosed(), true);
  }
});

simulationTest("a dial that is superseded during settlement closes its link", async (sim) => {
  const [near, far] = linkPair();
  const { link, isClosed } = watched(near);
  const leaving = new AbortController();
  const dialling = setupOf(sim, A).dial(driverOf(() => Promise.resolve(link)), dialOptions(leaving.signal));
  const secure = await sim.run(answerAsB(sim, far));
  await sim.run(100);
  leaving.abort(new Error("superseded"));
  await assert.rejects(sim.run(dialling), /superseded/);
  assert.equal(isClosed(), true);
  discardSecureLink(secure);
});

simulationTest("an incoming link whose request to settle is no good is closed", async (sim) => {
  const [near, far] = linkPair();
  const { link, isClosed } = watched(near);
  const accepting = setupOf(sim, B).accept(link, "test", new AbortController().signal);
  const peer = (async () => {
    const secure = await dialHandshake(far, {
      runtime: sim.runtimeFor("x"),
      local: A,
      sourcePort: 49_153,
      remote: { publicKey: KEY_B, port: 45 },
    });
    // It settles a transport of another kind.
    await initiateSettlement(secure, { ...settlement(sim, A), kind: "other" }).catch(() => {});
    return secure;
  })();
  await assert.rejects(sim.run(accepting));
  assert.equal(isClosed(), true);
  discardSecureLink(await sim.run(peer));
});

simulationTest("an incoming link is closed unless it was accepted", async (sim) => {
  for (const decision of ["accept", "reject", "neither"] as const) {
    const [near, far] = linkPair();
    const { link, isClosed } = watched(near);
    const signal = new AbortController().signal;
    const accepting = setupOf(sim, B).accept(link, "test", signal);
    const peer = (async () => {
      const secure = await dialHandshake(far, {
        runtime: sim.runtimeFor("x"),
        local: A,
        sourcePort: 49_153,
        remote: { publicKey: KEY_B, port: 45 },
      });
      await initiateSettlement(secure, settlement(sim, A)).catch(() => {});
      return secure;
    })();
    const incoming = await sim.run(accepting);
    assert.equal(incoming.remoteKey, publicKeyOf(SECRET_A));
    if (decision === "accept") {
      const settled = await sim.run(incoming.accept());
      assert.deepEqual([settled.initiator, settled.signed], [false, incoming.signed]);
    }
    if (decision === "reject") {
      await assert.rejects(sim.run(incoming.reject()), (error) => hasCode(error, "transport/settlement-unwanted"));
    }
    incoming[Symbol.dispose]();
    assert.equal(isClosed(), decision !== "accept");
    near.close();
    discardSecureLink(await sim.run(peer));
    assert.equal(incoming.signal.aborted, true);
  }
  await sim.run(100);
  assert.equal(sim.pendingTimers, 0);
});
