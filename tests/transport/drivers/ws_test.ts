/** The ws driver conforms, over real WebSockets and in a simulation; slow readers slow writers; HTTP goes on beside it. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import type { Http, MessageSocket } from "../../../lib/runtime/mod.ts";
import { driverConformanceCases } from "../../../lib/transport/conformance.ts";
import type { DriverFixture } from "../../../lib/transport/conformance.ts";
import { createWsDriver, WINDOW_BYTES, WS_PROTOCOL } from "../../../lib/transport/drivers/ws.ts";
import type { RawLink } from "../../../lib/transport/mod.ts";
import { createSimulation, type Simulation, simulationTest } from "../../fakes/mod.ts";
import { KEY_A, KEY_B, KEY_C } from "./keys.ts";

function makeFixture(
  https: readonly [Http, Http],
  options: { readonly listenAddress: string; readonly nowhere: string; readonly dispose?: () => void },
): DriverFixture {
  return {
    dialler: createWsDriver({ http: https[0] }),
    listener: createWsDriver({ http: https[1] }),
    diallerKey: KEY_A,
    listenerKey: KEY_B,
    listenAddress: options.listenAddress,
    nowhere: { address: options.nowhere, remoteKey: KEY_C },
    [Symbol.asyncDispose]: () => Promise.resolve(options.dispose?.()),
  };
}

const overSockets = driverConformanceCases(() => {
  const runtime = createDenoRuntime({ logLevel: "off" });
  return Promise.resolve(makeFixture([runtime.http, runtime.http], {
    listenAddress: "127.0.0.1:0",
    nowhere: "127.0.0.1:1",
    dispose: () => runtime[Symbol.dispose](),
  }));
});
for (const { name, run } of overSockets) Deno.test(`ws driver over WebSockets: ${name}`, run);

const sim = createSimulation({ seed: 1 });
const inSimulation = driverConformanceCases(() =>
  Promise.resolve(makeFixture([sim.runtimeFor("a").http, sim.runtimeFor("b").http], {
    listenAddress: "b:0",
    nowhere: "b:1",
  }))
);
for (const { name, run } of inSimulation) Deno.test(`ws driver in a simulation: ${name}`, () => sim.run(run()));

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
  "more than was granted": new Uint8Array(WINDOW_BYTES + 2),
  "a grant that is none": new Uint8Array([1, 0, 0, 0, 1]),
  "an empty message": new Uint8Array(),
  "an unknown type": new Uint8Array([2, 0]),
  "a grant cut short": new Uint8Array([1, 0]),
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
