import assert from "node:assert/strict";
import { publicKeyOf } from "../../../lib/core/mod.ts";
import { hasCode, RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import type { ByteLink } from "../../../lib/runtime/mod.ts";
import { ClientPool, KEPT_MS } from "../../../lib/overlay/rpc/client_pool.ts";
import type { KeyedStream } from "../../../lib/overlay/mod.ts";
import { type PublicKey, type RouteId, SecretKey } from "../../../lib/types/mod.ts";
import { rpcHandler, serveRpc } from "../../../lib/overlay/rpc/mod.ts";
import { RESERVE_IDS, RULE_GATEWAY_PORT } from "../../../lib/wire/setup_messages.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { linkPair } from "../../fakes/link_pair.ts";
import { at } from "../../../lib/types/at.ts";

const [A, B] = [1, 2].map((i) => publicKeyOf(new SecretKey(new Uint8Array(32).fill(i)))) as [PublicKey, PublicKey];

type Answer = (count: number) => readonly RouteId[] | Promise<readonly RouteId[]>;

/** A pool over a network on which everybody answers as `answer` says; its other ends, in the order of dialling. */
class Stage {
  readonly far: ByteLink[] = [];
  readonly pool: ClientPool;
  answer: Answer = (count) => Array.from({ length: count }, (_, i) => i + 1 as RouteId);

  constructor(sim: Simulation) {
    const { timers } = sim.runtimeFor("client");
    this.pool = new ClientPool({ network: { dial: (remote) => this.#dial(remote) }, port: RULE_GATEWAY_PORT, timers });
  }

  /** One request of one call. */
  async request(remote: PublicKey = A, options: { signal?: AbortSignal; doubtAfterMs?: number } = {}): Promise<void> {
    using lease = await this.pool.acquire(remote);
    await lease.call(RESERVE_IDS, 1, options);
    lease.keep();
  }

  async #dial(remoteKey: PublicKey): Promise<KeyedStream> {
    await Promise.resolve();
    const [here, there] = linkPair();
    this.far.push(there);
    void serveRpc(there, { handlers: [rpcHandler(RESERVE_IDS, (count) => this.answer(count))] });
    return { ...here, remoteKey, remotePort: 136, localPort: 49_153 };
  }
}

simulationTest("ClientPool gives a client to the next request of the same party only", async (sim) => {
  const stage = new Stage(sim);
  for (const remote of [A, A, B, A, B]) await sim.run(stage.request(remote));
  assert.equal(stage.far.length, 2);
  assert.equal(stage.pool.size, 2);
  stage.pool[Symbol.dispose]();
});

simulationTest("ClientPool gives a client to one request at a time", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(Promise.all([stage.request(), stage.request(), stage.request()]));
  assert.equal(stage.far.length, 3);
  await sim.run(Promise.all([stage.request(), stage.request(), stage.request()]));
  assert.equal(stage.far.length, 3);
  stage.pool[Symbol.dispose]();
});

simulationTest("ClientPool keeps a client for 15 s after its last request", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(stage.request());
  await sim.run(KEPT_MS - 1);
  await sim.run(stage.request());
  await sim.run(KEPT_MS - 1);
  assert.equal(stage.pool.size, 1);
  await sim.run(2);
  assert.equal(stage.pool.size, 0);
  assert.equal(await sim.run(at(stage.far, 0).read(new Uint8Array(1))), null, "the stream was closed");
  assert.equal(sim.pendingTimers, 0);
  await sim.run(stage.request());
  assert.equal(stage.far.length, 2);
  stage.pool[Symbol.dispose]();
});

simulationTest("ClientPool drops a client at once when its stream ends", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(stage.request());
  at(stage.far, 0).close();
  await sim.run(1);
  assert.equal(stage.pool.size, 0);
  await sim.run(stage.request());
  assert.equal(stage.far.length, 2);
  stage.pool[Symbol.dispose]();
});

simulationTest("ClientLease makes its first call again when a kept stream ends instead of answering", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(stage.request());
  stage.answer = () => {
    stage.answer = () => [];
    at(stage.far, 0).close();
    return [];
  };
  await sim.run(stage.request());
  assert.equal(stage.far.length, 2);
  assert.equal(stage.pool.size, 1);
  stage.pool[Symbol.dispose]();
});

simulationTest("ClientLease doubts a kept stream that is silent, and tries a fresh one", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(stage.request());
  stage.answer = () => {
    stage.answer = () => [];
    return new Promise(() => {});
  };
  const startedMs = sim.nowMs;
  await sim.run(stage.request(A, { doubtAfterMs: 2_000 }));
  assert.equal(sim.nowMs - startedMs, 2_000);
  assert.equal(stage.far.length, 2);
  stage.pool[Symbol.dispose]();
});

simulationTest("ClientLease makes no call again that was not the first, or whose stream is fresh", async (sim) => {
  const stage = new Stage(sim);
  const endInstead: Answer = () => {
    at(stage.far, -1).close();
    return [];
  };
  stage.answer = endInstead;
  await assert.rejects(sim.run(stage.request()), UnavailableError);
  assert.equal(stage.far.length, 1);
  stage.answer = () => [];
  await sim.run(stage.request());
  using lease = await sim.run(stage.pool.acquire(A));
  await sim.run(lease.call(RESERVE_IDS, 1));
  stage.answer = endInstead;
  await assert.rejects(sim.run(lease.call(RESERVE_IDS, 1)), UnavailableError);
  assert.equal(stage.far.length, 2);
});

simulationTest("ClientLease passes a refusal on, and its client is not used again", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(stage.request());
  stage.answer = () => {
    throw new RefusedError("setup/failure", "failure code 4");
  };
  await assert.rejects(sim.run(stage.request()), (error) => hasCode(error, "rpc/refused"));
  assert.equal(stage.far.length, 1, "a refusal is an answer: nothing is asked twice");
  assert.equal(stage.pool.size, 0);
});

simulationTest("ClientLease closes a client whose call was given up, even when told to keep it", async (sim) => {
  const stage = new Stage(sim);
  stage.answer = () => new Promise(() => {});
  const giveUp = new AbortController();
  const lease = await sim.run(stage.pool.acquire(A));
  const call = lease.call(RESERVE_IDS, 1, { signal: giveUp.signal });
  giveUp.abort(new UnavailableError("test/given-up", "Enough"));
  await assert.rejects(sim.run(call), (error) => hasCode(error, "test/given-up"));
  lease.keep();
  assert.equal(stage.pool.size, 0);
  assert.equal(await sim.run(at(stage.far, 0).read(new Uint8Array(1))), null);
});

simulationTest("ClientPool keeps 4 clients of one party and 256 in all, the latest ones", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(Promise.all(Array.from({ length: 6 }, () => stage.request())));
  assert.equal(stage.pool.size, 4);
  assert.equal(await sim.run(at(stage.far, 0).read(new Uint8Array(1))), null);
  const many = Array.from(
    { length: 256 },
    (_, i) => `${A.slice(0, 60)}${i.toString(16).padStart(6, "0")}` as PublicKey,
  );
  for (const remote of many) await sim.run(stage.request(remote));
  assert.equal(stage.pool.size, 256);
  const dials = stage.far.length;
  await sim.run(stage.request(many[0]));
  assert.equal(stage.far.length, dials, "the oldest of all went, not this one");
  stage.pool[Symbol.dispose]();
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("ClientPool closes what it keeps when it is disposed, and keeps nothing afterwards", async (sim) => {
  const stage = new Stage(sim);
  await sim.run(Promise.all([stage.request(), stage.request(B)]));
  const lease = await sim.run(stage.pool.acquire(A));
  stage.pool[Symbol.dispose]();
  await sim.run(lease.call(RESERVE_IDS, 1));
  lease.keep();
  for (const far of stage.far) assert.equal(await sim.run(far.read(new Uint8Array(1))), null);
  assert.equal(sim.pendingTimers, 0);
});
