/**
 * HTTP at public keys, with real processes on loopback:
 *
 *     visor A (network of one: all services, also at the key of its setup node)
 *        ▲ messaging only
 *     visor B, whose ticket names keys and one messaging server, and no URL of a host
 */

import assert from "node:assert/strict";
import { formatTicket, type NetworkConfig, parseTicket } from "../../lib/network/mod.ts";
import type { VisorStatus } from "../../lib/visor/mod.ts";
import { denoArgv, Program, runToEnd, temporaryFolder } from "./program.ts";
import { published } from "./published.ts";

interface ReadyLine {
  readonly publicKey: string;
  readonly ticket: string;
  readonly listeners: readonly { readonly purpose: string; readonly address: string }[];
}

/** The same network, named by keys: what whoever runs it tells those who cannot reach its URLs. */
async function withKeysOnly(ready: ReadyLine): Promise<NetworkConfig> {
  const network = parseTicket(ready.ticket);
  const answer = await fetch(`${network.messagingDiscovery}/dmsg-discovery/all_servers`);
  const [server] = await answer.json() as { static: string; server: { address: string } }[];
  const [key] = network.setupNodes;
  return parseTicket(formatTicket({
    messagingDiscovery: `dmsg://${key}:80`,
    transportDiscovery: `dmsg://${key}:9091`,
    routeFinder: `http://${key}.sky:9092`,
    addressResolver: `dmsg://${key}:9093`,
    setupNodes: network.setupNodes,
    messagingServers: [{
      publicKey: server!.static as NetworkConfig["setupNodes"][number],
      address: server!.server.address,
    }],
  }));
}

Deno.test("a visor lives on a control plane of which it knows keys and a messaging server only", async (t) => {
  await using folder = await temporaryFolder();
  const [dataA, dataB] = [`${folder.path}/a`, `${folder.path}/b`];
  await using a = new Program(denoArgv("cmd/visor.ts", ["--data", dataA, "--json"]));
  const readyA = await a.nextJson<ReadyLine>();
  const network = await withKeysOnly(readyA);
  await using b = new Program(denoArgv("cmd/visor.ts", ["--data", dataB, "--json", "--join", formatTicket(network)]));
  const readyB = await b.nextJson<ReadyLine>();
  const skywire = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const { code, lines } = await runToEnd("cmd/skywire.ts", ...args, "--data", dataB);
    return { code, text: lines.join("\n") };
  };

  await t.step("all services answer it, and its ticket passes on what it knows", async () => {
    const { text } = await skywire("status", "--json");
    const status = JSON.parse(text) as VisorStatus;
    assert.ok(status.healthy, text);
    for (const check of status.checks.filter(({ detail }) => /:\/\//.test(detail))) {
      assert.match(check.detail, /^dmsg:|\.sky:/);
    }
    assert.deepEqual(parseTicket(readyB.ticket), network);
  });

  await t.step("it reaches another visor over a route that setup node and route finder made for it", async () => {
    const { code, text } = await skywire("ping", readyA.publicKey, "--json", "--count", "1");
    assert.equal(code, 0, text);
  });

  await t.step("http get prints what is at a key as curl would, whatever the status", async () => {
    const health = await skywire("http", "get", `${readyA.publicKey.slice(0, 12)}.sky/health`);
    assert.equal(health.code, 0);
    assert.equal(JSON.parse(health.text).dmsg_address, `${readyA.publicKey}:80`);
    const entries = await skywire(
      "http",
      "get",
      `http://${network.setupNodes[0]}.sky/dmsg-discovery/visorEntries`,
      "--json",
    );
    assert.deepEqual(JSON.parse(entries.text).sort(), [readyA.publicKey, readyB.publicKey].sort());
    assert.deepEqual(await skywire("http", "get", `${readyA.publicKey}.sky/nothing`), {
      code: 0,
      text: "404 page not found",
    });
  });

  await t.step("http get tells what failed, and how it is used", async () => {
    const failed = await skywire("http", "get", "--fail", `${readyA.publicKey}.sky/nothing`, "--json");
    assert.deepEqual([failed.code, JSON.parse(failed.text).error.code], [1, "http/status"]);
    const nobody = await skywire("http", "get", `${readyA.publicKey}.sky:81/`, "--json");
    assert.deepEqual([nobody.code, JSON.parse(nobody.text).error.code], [1, "http/unreachable"]);
    assert.equal((await skywire("http", "get", "example.org", "--json")).code, 2);
  });
});

Deno.test("the messaging discovery as a program answers at its key, and a service that joins it, too", async () => {
  await using folder = await temporaryFolder();
  const start = (role: string, ...args: string[]): Program =>
    new Program(denoArgv("cmd/skywire.ts", [role, "--listen", "127.0.0.1:0", "--json", ...args]));
  await using discovery = start("messaging-discovery", "--allow-loopback", "--key", `${folder.path}/discovery.key`);
  const { url, publicKey } = await discovery.nextJson<{ url: string; publicKey: string }>();
  await using server = start("messaging-server", "--messaging-discovery", url);
  await server.nextJson();
  await using map = start("transport-discovery", "--messaging-discovery", url, "--rate-limit", "5");
  const mapReady = await map.nextJson<{ url: string; publicKey: string }>();
  for (const [base, key] of [[url, publicKey], [mapReady.url, mapReady.publicKey]] as const) {
    await published(url, key);
    const health = await (await fetch(`${base}/health`)).json();
    assert.equal(health.dmsg_address, `${key}:80`);
    assert.equal(health.dmsg_servers?.length, 1);
  }
  const statuses: number[] = [];
  for (let i = 0; i < 40; i++) {
    const answer = await fetch(`${mapReady.url}/health`);
    statuses.push(answer.status);
    await answer.body?.cancel();
  }
  assert.ok(statuses.includes(429), "40 requests at once, of which 20 may come");
});
