/**
 * Run by `network_test.ts` in a process that may open few descriptors: uses them all up by connections with itself, closes
 * them, and connects once more. Prints how many connections there were, and whether the last connection was accepted.
 */

import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import type { ByteLink } from "../../../lib/runtime/mod.ts";

using runtime = createDenoRuntime({ logLevel: "off" });
const listener = await runtime.network.listen("127.0.0.1:0");
const accepted: ByteLink[] = [];
const accepting = (async () => {
  for await (const link of listener) accepted.push(link);
})();

const dialled: ByteLink[] = [];
let failures = 0;
while (failures < 3) {
  try {
    dialled.push(await runtime.network.dial(listener.address));
  } catch {
    failures++;
  }
}
const most = dialled.length;
for (const link of [...dialled, ...accepted.splice(0)]) link.close();

const last = await runtime.network.dial(listener.address);
await last.write(new Uint8Array([42]));
const into = new Uint8Array(1);
while (into[0] !== 42) {
  // Connections that were waiting to be accepted come first.
  const link = accepted.shift();
  if (link === undefined) await new Promise((resolve) => runtime.timers.after(1, () => resolve(undefined)));
  else await link.read(into).catch(() => {});
  link?.close();
}
last.close();
listener.close();
await accepting;
// deno-lint-ignore no-console -- the result of this program
console.log(JSON.stringify({ dialled: most, accepted: into[0] === 42 }));
