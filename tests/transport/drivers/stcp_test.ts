/** The stcp driver conforms, over real sockets and in a simulation. */

import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { driverConformanceCases } from "../../../lib/transport/conformance.ts";
import type { DriverFixture } from "../../../lib/transport/conformance.ts";
import { createStcpDriver } from "../../../lib/transport/drivers/stcp.ts";
import type { Network } from "../../../lib/runtime/mod.ts";
import { createSimulation } from "../../fakes/mod.ts";
import { KEY_A, KEY_B, KEY_C } from "./keys.ts";

function makeFixture(
  networks: readonly [Network, Network],
  options: { readonly listenAddress: string; readonly nowhere: string; readonly dispose?: () => void },
): DriverFixture {
  const [a, b] = networks;
  return {
    dialler: createStcpDriver({ network: a }),
    listener: createStcpDriver({ network: b }),
    diallerKey: KEY_A,
    listenerKey: KEY_B,
    listenAddress: options.listenAddress,
    nowhere: { address: options.nowhere, remoteKey: KEY_C },
    [Symbol.asyncDispose]: () => Promise.resolve(options.dispose?.()),
  };
}

const overSockets = driverConformanceCases(() => {
  const runtime = createDenoRuntime({ logLevel: "off" });
  const { network } = runtime;
  return Promise.resolve(makeFixture([network, network], {
    listenAddress: "127.0.0.1:0",
    nowhere: "127.0.0.1:1",
    dispose: () => runtime[Symbol.dispose](),
  }));
});
for (const { name, run } of overSockets) Deno.test(`stcp driver over sockets: ${name}`, run);

const sim = createSimulation({ seed: 1 });
const inSimulation = driverConformanceCases(() =>
  Promise.resolve(makeFixture([sim.runtimeFor("a").network, sim.runtimeFor("b").network], {
    listenAddress: "b:0",
    nowhere: "b:1",
  }))
);
for (const { name, run } of inSimulation) Deno.test(`stcp driver in a simulation: ${name}`, () => sim.run(run()));
