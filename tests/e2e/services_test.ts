/** Services as processes: what they tell of themselves, and how they end. */

import assert from "node:assert/strict";
import { publicKeyOf } from "../../lib/core/mod.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import { joinMessaging } from "../../lib/network/join_messaging.ts";
import { at } from "../../lib/types/at.ts";
import { type PublicKey, SecretKey } from "../../lib/types/mod.ts";
import { formatEntry, signEntry } from "../../lib/wire/messaging_entry.ts";
import { denoArgv, Program } from "./program.ts";
import { published } from "./published.ts";

interface Ready {
  readonly publicKey: PublicKey;
  readonly url: string;
  readonly listeners: readonly { readonly purpose: string; readonly address: string }[];
}

const LISTEN = ["--listen", "127.0.0.1:0", "--json"];
const SECRET = new SecretKey(new Uint8Array(32).fill(1));

function discoveryArgv(): string[] {
  return denoArgv("cmd/messaging_discovery.ts", [...LISTEN, "--allow-loopback"]);
}

/** The three pages that every service has; gives the figures. */
async function readPages(get: (path: string) => Promise<Response>, title: string): Promise<string> {
  const health = await (await get("/health")).json();
  assert.match(health.started_at, /^\d{4}-\d\d-\d\dT/);
  const { info, paths } = await (await get("/openapi.json")).json();
  assert.equal(info.title, title);
  assert.deepEqual(Object.keys(paths), ["/health", "/metrics", "/openapi.json"]);
  return await (await get("/metrics")).text();
}

Deno.test("the messaging server and the setup node answer /health and /metrics on an address, the latter at its key, too", async () => {
  await using discovery = new Program(discoveryArgv());
  const { url } = await discovery.nextJson<Ready>();
  const network = ["--messaging-discovery", url, "--db", "memory:"];
  await using relay = new Program(
    denoArgv("cmd/messaging_server.ts", [...LISTEN, ...network, "--metrics", "127.0.0.1:0"]),
  );
  await using setup = new Program(denoArgv("cmd/setup_node.ts", [...LISTEN, ...network]));
  const [relayReady, setupReady] = await Promise.all([relay.nextJson<Ready>(), setup.nextJson<Ready>()]);
  assert.deepEqual(setupReady.listeners.map(({ purpose }) => purpose), ["setup-node"]);

  // Over messaging first: then the relay has something to count.
  using runtime = createDenoRuntime({ logLevel: "off" });
  {
    const { messaging, http } = joinMessaging({ runtime, secret: SECRET, url });
    await using _ = messaging;
    await messaging.ready;
    await published(url, setupReady.publicKey);
    const atKey = (path: string): Promise<Response> =>
      http.fetch(new Request(`dmsg://${setupReady.publicKey}:80${path}`));
    assert.match(await readPages(atKey, "Setup node"), /^skywire_setup_routes_total 0$/m);
  }
  const metrics = relayReady.listeners.find(({ purpose }) => purpose === "metrics")!;
  const at = (base: string) => (path: string): Promise<Response> => runtime.http.fetch(new Request(base + path));
  const figures = await readPages(at(`http://${metrics.address}`), "Messaging server");
  assert.match(figures, /^skywire_messaging_sessions [12]$/m);
  assert.match(figures, /^skywire_messaging_streams_opened_total 3$/m);
  assert.match(figures, /^skywire_messaging_relayed_bytes_total [1-9]\d\d+$/m);
  const own = await readPages(at(setupReady.url), "Setup node");
  assert.match(
    own,
    /^skywire_http_requests_total\{service="setup-node",method="GET",path="\/health",status="2xx"\} 2$/m,
  );
});

Deno.test("a service that gets SIGTERM answers the request that is under way, takes no other, and ends with 0", async () => {
  await using discovery = new Program(discoveryArgv());
  const { url, listeners } = await discovery.nextJson<Ready>();
  const [hostname, port] = at(listeners, 0).address.split(":") as [string, string];
  const entry = signEntry({
    version: "0.0.1",
    sequence: 0n,
    timestamp: BigInt(Date.now()) * 1_000_000n,
    static: publicKeyOf(SECRET),
    client: { delegatedServers: [] },
  }, SECRET);
  const body = new TextEncoder().encode(formatEntry(entry));
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [
    "POST /dmsg-discovery/entry/ HTTP/1.1",
    "host: x",
    "connection: close",
    "expect: 100-continue",
    `content-length: ${body.length}`,
  ];
  await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  // It says so when the handler begins to read.
  const buffer = new Uint8Array(1024);
  const count = await connection.read(buffer);
  assert.match(new TextDecoder().decode(buffer.subarray(0, count!)), /^HTTP\/1.1 100 /);

  discovery.child.kill("SIGTERM");
  using runtime = createDenoRuntime({ logLevel: "off" });
  const isClosing = async (): Promise<boolean> => {
    const { status, body } = await runtime.http.fetch(new Request(`${url}/health`));
    await body?.cancel();
    return status === 503;
  };
  while (!await isClosing());
  await connection.write(body);
  const answer = await new Response(connection.readable).text();
  assert.match(answer, /^HTTP\/1.1 200 [^]*\r\n\r\n\{"message":"wrote a new entry","code":200\}/);
  assert.equal((await discovery.child.status).code, 0);
});
