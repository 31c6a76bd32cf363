/** Incoming links are set up side by side, and a crowd of silent ones shuts nobody out for long. */

import assert from "node:assert/strict";
import { createQueue } from "../../lib/runtime/mod.ts";
import { runAcceptor } from "../../lib/transport/acceptor.ts";
import type { RawLink, RawListener } from "../../lib/transport/driver.ts";
import { transportMetrics } from "../../lib/transport/metrics.ts";
import { simulationTest } from "../fakes/mod.ts";

interface FakeLink extends RawLink {
  readonly closed: boolean;
}

function makeLink(remoteAddress: string): FakeLink {
  let closed = false;
  return {
    remoteAddress,
    get closed(): boolean {
      return closed;
    },
    read: () => Promise.resolve(null),
    write: () => Promise.resolve(),
    close: () => void (closed = true),
  };
}

function makeListener(): RawListener & { offer(link: RawLink): void } {
  const queue = createQueue<RawLink>(10_000);
  return {
    address: "x",
    offer: (link) => assert.ok(queue.push(link)),
    close: () => queue.close(),
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  };
}

simulationTest("a link that fails or stalls does not stop the others", async (sim) => {
  const { log, metrics } = sim.runtimeFor("a");
  const listener = makeListener();
  const stalled = Promise.withResolvers<void>();
  const accepted: string[] = [];
  const running = runAcceptor({
    listener,
    log,
    metrics: transportMetrics(metrics),
    async accept(link): Promise<void> {
      if (link.remoteAddress === "stall") await stalled.promise;
      if (link.remoteAddress === "fail") throw new Error("garbage");
      accepted.push(link.remoteAddress);
    },
  });
  for (const name of ["stall", "fail", "good"]) listener.offer(makeLink(name));
  await sim.run(1);
  assert.deepEqual(accepted, ["good"]);
  assert.match(metrics.render(), /accepts_failed_total 1\n/);
  listener.close();
  stalled.resolve();
  await sim.run(running);
  assert.deepEqual(accepted, ["good", "stall"]);
});

simulationTest("one host takes 64 places of 256, and what is too much is closed unread", async (sim) => {
  const { log, metrics } = sim.runtimeFor("a");
  const listener = makeListener();
  const stalled = Promise.withResolvers<void>();
  const running = runAcceptor({ listener, log, metrics: transportMetrics(metrics), accept: () => stalled.promise });
  const offer = (host: string, count: number): FakeLink[] =>
    Array.from({ length: count }, (_, i) => {
      const link = makeLink(`${host}:${1_000 + i}`);
      listener.offer(link);
      return link;
    });
  const greedy = offer("10.0.0.1", 100);
  await sim.run(1);
  assert.equal(greedy.filter(({ closed }) => closed).length, 36);
  const others = [2, 3, 4, 5].flatMap((i) => offer(`10.0.0.${i}`, 64));
  await sim.run(1);
  assert.equal(others.filter(({ closed }) => closed).length, 64);
  assert.match(metrics.render(), /accepts_shed_total 100\n/);
  stalled.resolve();
  await sim.run(1);
  const again = offer("10.0.0.1", 1);
  await sim.run(1);
  assert.equal(again[0]?.closed, false);
  listener.close();
  await sim.run(running);
});
