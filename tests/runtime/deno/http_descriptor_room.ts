/**
 * Run by `http_gate_test.ts` in a process that may open few descriptors: lets another process open connections with two
 * servers, all of which ask once. Prints how many descriptors it had open at most.
 */

import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";

const CONNECTIONS = 150;

if (Deno.args[0] !== undefined) {
  // The other process.
  for (let i = 0; i < CONNECTIONS; i++) {
    for (const port of Deno.args) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: test\r\n\r\n"));
      await connection.read(new Uint8Array(1_000)).catch(() => {});
    }
  }
  Deno.exit(0);
}

using runtime = createDenoRuntime({ logLevel: "off" });
let most = 0;
const answer = (): Response => {
  most = Math.max(most, [...Deno.readDirSync("/proc/self/fd")].length);
  return new Response("ok");
};
const servers = [await runtime.http.serve("127.0.0.1:0", answer), await runtime.http.serve("127.0.0.1:0", answer)];
const ports = servers.map(({ address }) => address.slice(address.lastIndexOf(":") + 1));
await new Deno.Command("sh", {
  args: ["-c", `ulimit -n 400; exec "$0" run -A "$@"`, Deno.execPath(), import.meta.filename ?? "", ...ports],
}).output();
// deno-lint-ignore no-console -- the result of this program
console.log(JSON.stringify({ most }));
for (const server of servers) await server.close();
