/** Every way to end is in order: a terminal that closes, and a parent that is gone. */

import assert from "node:assert/strict";
import { at } from "../../lib/types/at.ts";
import { denoArgv, isAlive, Program, temporaryFolder } from "./program.ts";

interface Ready {
  readonly publicKey: string;
  readonly ticket: string;
  readonly listeners: readonly { readonly purpose: string; readonly address: string }[];
}

const onLinux = { ignore: Deno.build.os !== "linux" };

/** Is there an entry of the key in the network of a visor? */
async function isListed({ listeners }: Ready, key: string): Promise<boolean> {
  const { address } = listeners.find(({ purpose }) => purpose === "messaging-discovery")!;
  const { status, body } = await fetch(`http://${address}/dmsg-discovery/entry/${key}`);
  await body?.cancel();
  return status === 200;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("SIGHUP ends a visor in order, more than one at once too", onLinux, async () => {
  await using folder = await temporaryFolder();
  await using a = new Program(denoArgv("cmd/visor.ts", ["--data", `${folder.path}/a`, "--json"]));
  const network = await a.nextJson<Ready>();
  const data = `${folder.path}/b`;
  await using b = new Program(denoArgv("cmd/visor.ts", ["--data", data, "--json", "--join", network.ticket]));
  const { publicKey } = await b.nextJson<Ready>();
  assert.ok(await isListed(network, publicKey));
  assert.ok(await isThere(`${data}/control.json`));
  for (const signal of ["SIGHUP", "SIGHUP", "SIGTERM"] as const) b.child.kill(signal);
  assert.equal((await b.child.status).code, 0);
  assert.ok(!await isListed(network, publicKey), "its entry is gone");
  assert.ok(!await isThere(`${data}/control.json`));
});

Deno.test("a program that is to ignore SIGHUP, as nohup asks, goes on", onLinux, async () => {
  const argv = denoArgv("cmd/messaging_discovery.ts", ["--listen", "127.0.0.1:0", "--json"]);
  await using discovery = new Program(["sh", "-c", `trap '' HUP; exec ${argv.join(" ")}`]);
  const { url } = await discovery.nextJson<{ url: string }>();
  discovery.child.kill("SIGHUP");
  // A signal that counts comes before anything that is asked afterwards.
  for (let i = 0; i < 10; i++) assert.equal((await (await fetch(`${url}/health`)).json()).problems, undefined);
  assert.equal(await discovery.end(), 0);
});

Deno.test("a program that is to end with its standard input does so, in order", async () => {
  const argv = denoArgv("cmd/messaging_discovery.ts", ["--listen", "127.0.0.1:0", "--json"]);
  const [program = "", ...args] = argv;
  const env = { SKYWIRE_END_WITH_STDIN: "1" };
  const child = new Deno.Command(program, { args, env, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /"url"/);
  await child.stdin.close();
  assert.equal((await child.status).code, 0);
  await reader.cancel();
});

Deno.test("all processes of a demo that is killed end by themselves", onLinux, async () => {
  const argv = denoArgv("cmd/dev/demo.ts", ["--json", "--keep", "--hops", "1", "--bytes", "1000"]);
  await using demo = new Program(argv);
  const { processes } = await demo.nextJson<{ processes: readonly { name: string; pid: number; argv: string[] }[] }>();
  assert.equal(processes.length, 7);
  demo.child.kill("SIGKILL");
  await demo.child.status;
  for (const { pid } of processes) while (await isAlive(pid));
  // It could not remove its files any more.
  const { argv: visor } = processes.find(({ name }) => name === "visor-a")!;
  const data = at(visor, visor.indexOf("--data") + 1);
  assert.ok(!await isThere(`${data}/control.json`), "the visor ended in order");
  await Deno.remove(data.slice(0, data.lastIndexOf("/")), { recursive: true });
});
