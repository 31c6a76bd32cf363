/** The memory driver conforms. */

import { driverConformanceCases } from "../../../lib/transport/conformance.ts";
import { createMemoryDriver, createMemoryHub } from "../../../lib/transport/drivers/memory.ts";
import { KEY_A, KEY_B, KEY_C } from "./keys.ts";

const cases = driverConformanceCases(() => {
  const hub = createMemoryHub();
  return Promise.resolve({
    dialler: createMemoryDriver(hub),
    listener: createMemoryDriver(hub),
    diallerKey: KEY_A,
    listenerKey: KEY_B,
    listenAddress: "b",
    nowhere: { address: "c", remoteKey: KEY_C },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
for (const { name, run } of cases) Deno.test(`memory driver: ${name}`, run);
