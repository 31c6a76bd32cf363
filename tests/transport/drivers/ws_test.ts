/** The ws driver conforms, over real WebSockets and in a simulation; slow readers slow writers; HTTP goes on beside it. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import type { MessageSocket } from "../../../lib/runtime/mod.ts";
import { createWsDriver, WINDOW_BYTES, WS_PROTOCOL } from "../../../lib/transport/drivers/ws.ts";
import type { RawLink } from "../../../lib/transport/mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { KEY_B } from "./keys.ts";
import { testInSimulation, testOverSockets } from "./run_conformance.ts";

testOverSockets("ws driver over WebSockets", createWsDriver);
testInSimulation("ws driver in a simulation", createWsDriver);

Deno.test("other requests to the port of a ws listener are answered beside it", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const driver = createWsDriver({ http: runtime.http, beside: ({ url }) => new Response(new URL(url).pathname) });
  const listener = await driver.listen("127.0.0.1:0");
  const get = async (path: string): Promise<[number, string]> => {
    const response = await runtime.http.fetch(new Request(`http://${listener.address}${path}`));
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get("/health"), [200, "/health"]);
  assert.deepEqual(await get("/transport"), [426, "Wanted a WebSocket\n"]);
  const accepted = listener[Symbol.asyncIterator]();
  const [dialled, { value }] = await Promise.all([
    driver.dial(`ws://${listener.address}/transport`, { remoteKey: KEY_B }),
    accepted.next(),
  ]);
  assert.equal((await get("/health"))[0], 200);
  dialled.close();
  assert.equal(await (value as RawLink).read(new Uint8Array(1)), null);
  listener.close();
  await accepted.next();
});

simulationTest("a reader that does not read holds the writer of a ws link back", async (sim) => {
  const [a, b] = await connect(sim);
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 100; i++) {
      await a.write(new Uint8Array(10_000));
      written += 10_000;
    }
  })();
  await sim.run(60_000);
  assert.ok(written <= WINDOW_BYTES && written > WINDOW_BYTES - 10_000, `${written} bytes were written`);
  await sim.run(async () => {
    for (let read = 0; read < 1_000_000;) read += await b.read(new Uint8Array(3_000)) ?? NaN;
    await writing;
  });
  a.close();
  b.close();
});

const FAULTS: Readonly<Record<string, Uint8Array>> = {
  "more than there is room for": new Uint8Array(4 + WINDOW_BYTES + 1),
  "word of bytes read that nobody sent": new Uint8Array([0, 0, 0, 1]),
  "an empty message": new Uint8Array(),
  "a header cut short": new Uint8Array([0, 0]),
};

for (const [what, message] of Object.entries(FAULTS)) {
  simulationTest(`a peer that sends ${what} loses its ws link`, async (sim) => {
    const listener = await createWsDriver(sim.runtimeFor("b")).listen("b:1");
    const accepted = listener[Symbol.asyncIterator]();
    const socket: MessageSocket = await sim.run(
      sim.runtimeFor("a").http.openSocket("ws://b:1/transport", { protocol: WS_PROTOCOL }),
    );
    const link = (await sim.run(accepted.next())).value as RawLink;
    socket.send(message);
    await assert.rejects(sim.run(link.read(new Uint8Array(1))), (error) => hasCode(error, "network/bad-message"));
    assert.equal(await sim.run(socket.receive()), null);
    listener.close();
    await sim.run(accepted.next());
  });
}

simulationTest("a side without room answers data at once, so that word of room is not held back", async (sim) => {
  const listener = await createWsDriver(sim.runtimeFor("b")).listen("b:1");
  const accepted = listener[Symbol.asyncIterator]();
  const socket: MessageSocket = await sim.run(
    sim.runtimeFor("a").http.openSocket("ws://b:1/transport", { protocol: WS_PROTOCOL }),
  );
  const link = (await sim.run(accepted.next())).value as RawLink;
  await sim.run(link.write(new Uint8Array(WINDOW_BYTES)));
  for (let left = WINDOW_BYTES; left > 0;) left -= (await sim.run(socket.receive()))!.length - 4;
  const data = new Uint8Array([0, 0, 0, 0, 7]);
  socket.send(data);
  assert.deepEqual(await sim.run(socket.receive()), new Uint8Array(4));
  // With room, a message of its own is nothing but a cost.
  socket.send(new Uint8Array([0, 4, 0, 0, 8]));
  await sim.run(10);
  const into = new Uint8Array(2);
  assert.deepEqual([await sim.run(link.read(into)), [...into]], [2, [7, 8]]);
  await sim.run(link.write(new Uint8Array([9])));
  assert.deepEqual(await sim.run(socket.receive()), new Uint8Array([0, 0, 0, 2, 9]));
  link.close();
  socket.close();
  listener.close();
});

simulationTest("a client that speaks another protocol gets no ws link", async (sim) => {
  const listener = await createWsDriver(sim.runtimeFor("b")).listen("b:1");
  await assert.rejects(
    sim.run(sim.runtimeFor("a").http.openSocket("ws://b:1/transport", { protocol: "chat" })),
    (error) => hasCode(error, "network/dial-failed"),
  );
  listener.close();
});

async function connect(sim: Simulation): Promise<[RawLink, RawLink]> {
  const listener = await createWsDriver(sim.runtimeFor("b")).listen("b:1");
  const accepted = listener[Symbol.asyncIterator]();
  const dialled = await sim.run(createWsDriver(sim.runtimeFor("a")).dial("b:1", { remoteKey: KEY_B }));
  const { value } = await sim.run(accepted.next());
  listener.close();
  return [dialled, value as RawLink];
}
