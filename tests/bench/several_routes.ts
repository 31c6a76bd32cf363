// deno-lint-ignore-file no-console -- it prints figures

/**
 * How much two routes at a time carry beside one, over links of 100 Mbit/s each. Needs root, `ip`, `tc` and `nft`:
 *
 *     deno run -A tests/bench/several_routes.ts
 *
 * ```
 *      ┌ 100 Mbit/s ─ b ─ 100 Mbit/s ┐
 *  x ──┤                             ├── d        all of them reach the control plane h over a network of its own
 *      └ 100 Mbit/s ─ c ─ 100 Mbit/s ┘
 * ```
 */

import { at } from "../../lib/types/at.ts";
import { Hosts } from "../slow/namespaces.ts";

const RATE = "100mbit";
const BYTES = 60_000_000;
/** One pair of figures each; they alternate. */
const ROUNDS = 3;
const CONTROL = { h: "10.9.0.1", x: "10.9.0.2", b: "10.9.0.3", c: "10.9.0.4", d: "10.9.0.5" } as const;
/** The cables that carry data: between whom, and in which network. */
const CABLES = [["x", "b", "10.1.1"], ["b", "d", "10.1.2"], ["x", "c", "10.1.3"], ["c", "d", "10.1.4"]] as const;

type Host = keyof typeof CONTROL;

interface Ready {
  readonly publicKey: string;
  readonly ticket: string;
  readonly listeners: readonly { readonly purpose: string; readonly address: string }[];
}

await using hosts = new Hosts();
await using stack = new AsyncDisposableStack();
const data = await Deno.makeTempDir();
stack.defer(() => Deno.remove(data, { recursive: true }));

for (const host of Object.keys(CONTROL)) await hosts.add(host);
await hosts.run("h", "ip", "link", "add", "bridge", "type", "bridge");
await hosts.run("h", "ip", "link", "set", "bridge", "up");
await hosts.run("h", "ip", "addr", "add", `${CONTROL.h}/24`, "dev", "bridge");
for (const [host, address] of Object.entries(CONTROL)) {
  if (host === "h") continue;
  await hosts.cable({ host, device: "control", address: `${address}/24` }, { host: "h", device: `to-${host}` });
  await hosts.run("h", "ip", "link", "set", `to-${host}`, "master", "bridge");
}
for (const [a, b, network] of CABLES) {
  const ends = [{ host: a, device: `to-${b}` }, { host: b, device: `to-${a}` }] as const;
  await hosts.cable({ ...ends[0], address: `${network}.1/24` }, { ...ends[1], address: `${network}.2/24` });
  for (const { host, device } of ends) {
    const limit = ["root", "tbf", "rate", RATE, "burst", "64kb", "latency", "50ms"];
    await hosts.run(host, "tc", "qdisc", "add", "dev", device, ...limit);
  }
}

const ready = new Map<Host, Ready>();
for (const host of Object.keys(CONTROL) as Host[]) {
  const join = host === "h" ? [] : ["--join", readyOf("h").ticket, "--auto-transport", "off"];
  ready.set(host, await start(host, ["visor", "--host", CONTROL[host], ...join]));
}
for (const [a, b, network] of CABLES) {
  const port = readyOf(b).listeners.find(({ purpose }) => purpose === "transport-stcp")?.address.split(":").at(-1);
  await skywire(a, "transport", "add", readyOf(b).publicKey, "--type", "stcp", "--address", `${network}.2:${port}`);
}
for (let found = 0; found < 2;) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  const question = ["route", "find", readyOf("d").publicKey, "--count", "2", "--disjoint", "visors"];
  const { routes = [] } = await skywire<{ routes?: unknown[] }>("x", ...question).catch(() => ({ routes: [] }));
  found = routes.length;
}
await skywire("d", "proxy", "serve", "--destinations", "127.0.0.1/32");
const serve = `Deno.serve({hostname:"127.0.0.1",port:8080},()=>new Response(new Uint8Array(${BYTES})))`;
keep(new Deno.Command(at(hosts.argv("d", Deno.execPath()), 0), {
  args: hosts.argv("d", Deno.execPath(), "eval", serve).slice(1),
  stdout: "null",
  stderr: "null",
}).spawn());
const proxies = [];
for (const routes of ["1", "2"]) {
  const connect = ["proxy", "connect", readyOf("d").publicKey, "--listen", "127.0.0.1:0", "--routes", routes, "--pin"];
  proxies.push((await skywire<{ proxy: { listen: string } }>("x", ...connect)).proxy.listen);
}
await new Promise((resolve) => setTimeout(resolve, 5_000));

const rates: number[][] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, listen] of proxies.entries()) {
    const curl = ["curl", "-sS", "-o", "/dev/null", "-w", "%{speed_download}", "--socks5-hostname", listen];
    const speed = Number(await hosts.run("x", ...curl, "http://127.0.0.1:8080/")) / 1e6;
    at(rates, i).push(speed);
    console.log(`${i + 1} route${i === 0 ? " " : "s"}: ${speed.toFixed(1)} MB/s`);
  }
}
const [one, two] = rates.map((list) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN) as [number, number];
console.log(`median: ${one.toFixed(1)} and ${two.toFixed(1)} MB/s, ${(two / one).toFixed(2)} times`);

function readyOf(host: Host): Ready {
  return ready.get(host) ?? (() => {
    throw new Error(`${host} is not up`);
  })();
}

function denoArgv(host: string, ...args: readonly string[]): string[] {
  return hosts.argv(
    host,
    Deno.execPath(),
    "run",
    "-A",
    "cmd/skywire.ts",
    ...args,
    "--data",
    `${data}/${host}`,
    "--json",
  );
}

/** Starts a program that runs on, and reads its first line. */
async function start(host: string, args: readonly string[]): Promise<Ready> {
  const [program, ...rest] = denoArgv(host, ...args) as [string, ...string[]];
  const child = new Deno.Command(program, { args: rest, stdout: "piped", stderr: "null" }).spawn();
  keep(child);
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) return JSON.parse(text.split("\n")[0] ?? "");
  }
  throw new Error(`${host} ended before it was ready`);
}

function keep(child: Deno.ChildProcess): void {
  stack.defer(async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await child.status;
  });
}

async function skywire<T = unknown>(host: string, ...args: readonly string[]): Promise<T> {
  const [program, ...rest] = denoArgv(host, ...args) as [string, ...string[]];
  const { success, stdout, stderr } = await new Deno.Command(program, { args: rest }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  if (!success) throw new Error(`${host}: skywire ${args.join(" ")}: ${out}${err}`);
  return JSON.parse(out);
}
