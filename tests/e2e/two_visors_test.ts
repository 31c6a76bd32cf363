/** A network of one and a second visor that joins it by ticket, as processes of their own. */

import assert from "node:assert/strict";
import { at } from "../../lib/types/at.ts";
import { denoArgv, type Ended, Program, runToEnd, temporaryFolder } from "./program.ts";

interface ReadyLine {
  readonly publicKey: string;
  readonly api: string;
  readonly ticket: string;
  readonly listeners: { purpose: string; address: string }[];
}

/** Other tests start visors on the usual ports at the same time, and may have them just when this one starts again. */
async function keepFreePorts(data: string): Promise<void> {
  const purposes = ["api", "transport-stcp", "transport-ws"];
  const listeners = purposes.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = Object.fromEntries(purposes.map((purpose, i) => [purpose, at(listeners, i).addr.port]));
  for (const listener of listeners) listener.close();
  await Deno.mkdir(data, { mode: 0o700 });
  const config = { version: 1, host: "127.0.0.1", ports, autoTransport: true, autoconnect: false };
  await Deno.writeTextFile(`${data}/config.json`, JSON.stringify(config), { mode: 0o600 });
}

async function ping(data: string, remote: string): Promise<{ code: number; document: Record<string, unknown> }> {
  const { code, lines } = await runToEnd("cmd/skywire.ts", "ping", remote, "--data", data, "--json", "--count", "2");
  return { code, document: JSON.parse(lines.at(-1) ?? "{}") };
}

Deno.test("two visors ping each other, keep their identity over a restart, and end within two seconds", async (t) => {
  await using folder = await temporaryFolder();
  const [dataA, dataB] = [`${folder.path}/a`, `${folder.path}/b`];
  await using a = new Program(denoArgv("cmd/visor.ts", ["--data", dataA, "--json"]));
  const readyA = await a.nextJson<ReadyLine>();
  await keepFreePorts(dataB);
  await using b = new Program(denoArgv("cmd/visor.ts", ["--data", dataB, "--json", "--join", readyA.ticket]));
  const readyB = await b.nextJson<ReadyLine>();

  await t.step("each reaches the other over a transport that was opened by itself", async () => {
    for (const [data, remote] of [[dataB, readyA.publicKey], [dataA, readyB.publicKey]] as const) {
      const { code, document } = await ping(data, remote);
      assert.equal(code, 0, JSON.stringify(document));
      assert.equal(document.to, remote);
      assert.equal(document.hops, 1);
      assert.equal((document.rttMs as number[]).length, 2);
    }
  });

  await t.step("a key that is nobody's gives an error that says so", async () => {
    const nobody = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
    const { code, document } = await ping(dataB, nobody);
    assert.equal(code, 1);
    const { code: errorCode, message } = document.error as { code: string; message: string };
    assert.match(errorCode, /^[a-z-]+\/[a-z-]+$/);
    assert.ok(message.length > 20, message);
  });

  await t.step("keys may be shortened, and a refusal says why", async () => {
    const short = readyA.publicKey.slice(0, 16);
    const skywire = (...args: string[]): Promise<Ended> =>
      runToEnd("cmd/skywire.ts", ...args, "--data", dataB, "--json");
    const made = await skywire("proxy", "connect", short, "--listen", "127.0.0.1:0");
    const { proxy } = JSON.parse(at(made.lines, 0));
    assert.equal(proxy.to, readyA.publicKey);
    assert.equal((await skywire("proxy", "rm", proxy.id)).code, 0);
    for (
      const [code, reason, ...args] of [
        ["config/invalid", /wanted "public" or a block/, "proxy", "serve", "--destinations", "banana"],
        ["network/dial-failed", /refused/, "transport", "add", short, "--address", "127.0.0.1:9"],
        ["app/unknown", /app ls/, "app", "start", "nothing"],
      ] as const
    ) {
      const refused = await skywire(...args);
      assert.equal(refused.code, 1);
      const { error } = JSON.parse(at(refused.lines, 0));
      assert.equal(error.code, code);
      assert.match(error.message, reason);
    }
  });

  await t.step("a WebSocket reaches a visor at the port where it answers HTTP, too", async () => {
    const { address } = readyA.listeners.find(({ purpose }) => purpose === "transport-ws")!;
    const health = await (await fetch(`http://${address}/health`)).json();
    assert.equal(health.dmsg_address, `${readyA.publicKey}:80`);
    const add = ["transport", "add", readyA.publicKey, "--type", "ws", "--address", `ws://${address}/transport`];
    const { code, lines } = await runToEnd("cmd/skywire.ts", ...add, "--data", dataB, "--json");
    assert.equal(code, 0, lines.join());
    const { transport } = JSON.parse(at(lines, 0));
    assert.ok(transport.up);
    const pinged = await runToEnd("cmd/skywire.ts", "ping", readyA.publicKey, "--path", transport.id, "--data", dataB);
    assert.equal(pinged.code, 0, pinged.stderr);
    assert.equal((await runToEnd("cmd/skywire.ts", "transport", "rm", transport.id, "--data", dataB)).code, 0);
  });

  await t.step("files are private", async () => {
    for (const data of [dataA, dataB]) {
      assert.equal((await Deno.stat(data)).mode! & 0o077, 0, data);
      for await (const { name } of Deno.readDir(data)) {
        assert.equal((await Deno.stat(`${data}/${name}`)).mode! & 0o077, 0, name);
      }
    }
  });

  await t.step("another visor on the same folder is refused", async () => {
    const { code, lines } = await runToEnd("cmd/visor.ts", "--data", dataB, "--json");
    assert.equal(code, 1);
    assert.equal(JSON.parse(at(lines, 0)).error.code, "visor/already-running");
  });

  await t.step("Ctrl-C ends each with code 0 within two seconds", async () => {
    for (const program of [b, a]) {
      const began = performance.now();
      assert.equal(await program.end("SIGINT"), 0);
      assert.ok(performance.now() - began < 2_000);
    }
  });

  await t.step(
    "after a restart without a ticket it is the same visor in the same network, on the same ports",
    async () => {
      await using again = new Program(denoArgv("cmd/visor.ts", ["--data", dataB, "--json"]));
      const ready = await again.nextJson<ReadyLine>();
      assert.equal(ready.publicKey, readyB.publicKey);
      assert.deepEqual(ready.listeners, readyB.listeners);
    },
  );

  await t.step("a command without a running visor says how to start one", async () => {
    const { code, lines } = await runToEnd("cmd/skywire.ts", "status", "--data", dataB, "--json");
    assert.equal(code, 1);
    const { error } = JSON.parse(at(lines, 0));
    assert.equal(error.code, "visor/not-running");
    assert.ok(error.message.endsWith(`deno run -A cmd/skywire.ts visor --data ${dataB}`), error.message);
  });
});
