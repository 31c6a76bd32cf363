/** Serves random megabytes on loopback, for a test on a host of its own: prints `{"port","sha256"}` and goes on. */

import { createHash } from "node:crypto";

const body = new Uint8Array(Number(Deno.args[0]) * 1_000_000);
for (let at = 0; at < body.length; at += 65_536) crypto.getRandomValues(body.subarray(at, at + 65_536));
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response(body));
const sha256 = createHash("sha256").update(body).digest("hex");
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ port: server.addr.port, sha256 }) + "\n"));
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
