/** Runs the conformance cases on a driver of ours: over real sockets, and in a simulation. */

import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import type { Runtime } from "../../../lib/runtime/mod.ts";
import { driverConformanceCases, type DriverFixture } from "../../../lib/transport/conformance.ts";
import type { TransportDriver } from "../../../lib/transport/mod.ts";
import { createSimulation } from "../../fakes/mod.ts";
import { KEY_A, KEY_B, KEY_C } from "./keys.ts";

/** Makes a driver in a world. */
type MakeDriver = (runtime: Pick<Runtime, "network" | "http" | "timers">) => TransportDriver;

/** Defines a test for each case, over real sockets on loopback. @param title begins the tests' names */
export function testOverSockets(title: string, make: MakeDriver): void {
  const cases = driverConformanceCases(() => {
    const runtime = createDenoRuntime({ logLevel: "off" });
    return Promise.resolve({
      ...fixtureOf(make(runtime), make(runtime), "127.0.0.1"),
      [Symbol.asyncDispose]: () => Promise.resolve(runtime[Symbol.dispose]()),
    });
  });
  for (const { name, run } of cases) Deno.test(`${title}: ${name}`, run);
}

/** Defines a test for each case, between two hosts in memory. @param title begins the tests' names */
export function testInSimulation(title: string, make: MakeDriver): void {
  const sim = createSimulation({ seed: 1 });
  const cases = driverConformanceCases(() =>
    Promise.resolve({
      ...fixtureOf(make(sim.runtimeFor("a")), make(sim.runtimeFor("b")), "b"),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
  );
  for (const { name, run } of cases) Deno.test(`${title}: ${name}`, () => sim.run(run()));
}

function fixtureOf(
  dialler: TransportDriver,
  listener: TransportDriver,
  host: string,
): Omit<DriverFixture, typeof Symbol.asyncDispose> {
  return {
    dialler,
    listener,
    diallerKey: KEY_A,
    listenerKey: KEY_B,
    listenAddress: `${host}:0`,
    nowhere: { address: `${host}:1`, remoteKey: KEY_C },
  };
}
