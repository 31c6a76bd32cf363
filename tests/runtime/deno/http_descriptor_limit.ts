/**
 * Run by `http_gate_test.ts` in a process that may open few descriptors: uses them all up by requests to itself, closes
 * the connections, and asks once more. Prints how often connecting failed, and the last answer.
 */

import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import type { ByteLink } from "../../../lib/runtime/mod.ts";

using runtime = createDenoRuntime({ logLevel: "off" });
const server = await runtime.http.serve("127.0.0.1:0", () => new Response("still here"));
const dialled: ByteLink[] = [];
let failures = 0;
while (failures < 3) {
  try {
    const link = await runtime.network.dial(server.address);
    dialled.push(link);
    await link.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: test\r\n\r\n"));
  } catch {
    failures++;
  }
}
for (const link of dialled) link.close();

let text = "";
for (let attempt = 0; text === "" && attempt < 100; attempt++) {
  // The first ones may meet what is being closed.
  text = await runtime.http.fetch(new Request(server.url)).then((response) => response.text()).catch(() => "");
  await new Promise((resolve) => runtime.timers.after(10, () => resolve(undefined)));
}
// deno-lint-ignore no-console -- the result of this program
console.log(JSON.stringify({ failures, text }));
await server.close();
