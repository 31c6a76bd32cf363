/** The main job with real processes, sockets, SQLite and curl. */

import assert from "node:assert/strict";
import { at } from "../../lib/types/at.ts";
import { denoArgv, isAlive, Program, runToEnd } from "./program.ts";

const DEMO = "cmd/dev/demo.ts";

interface DemoDocument {
  readonly ok: boolean;
  readonly route: { hops: number; visors: string[]; transports: { id: string; type: string }[]; setupMs: number };
  readonly transfer: { bytes: number; sha256Sent: string; sha256Received: string };
  readonly socks: string;
  readonly processes: { name: string; pid: number; argv: string[]; cwd: string; env: Record<string, string> }[];
}

Deno.test("demo refuses a number of hops that is none, with exit code 2", async () => {
  const { code, stderr } = await runToEnd(DEMO, "--hops", "banana");
  assert.equal(code, 2);
  assert.match(stderr, /whole number from 1 to 5/);
});

Deno.test("demo moves a file over three hops, survives garbage on every port, and leaves no process behind", async (t) => {
  await using demo = new Program(denoArgv(DEMO, ["--json", "--keep", "--bytes", "3000000"]));
  const document = await demo.nextJson<DemoDocument>();

  await t.step("the file arrived over the line of visors", () => {
    assert.equal(document.ok, true);
    assert.equal(document.route.hops, 3);
    assert.equal(document.route.visors.length, 4);
    assert.deepEqual(document.route.transports.map(({ type }) => type), ["stcp", "stcp", "stcp"]);
    assert.equal(document.transfer.bytes, 3_000_000);
    assert.equal(document.transfer.sha256Received, document.transfer.sha256Sent);
  });

  await t.step("garbage on every listening port stops nobody", async () => {
    const silent: string[] = [];
    for (const { name, pid } of document.processes) {
      const ports = await listeningPorts(pid);
      if (ports.length === 0) silent.push(name);
      for (const port of ports) await throwGarbage(port, 60);
    }
    assert.deepEqual(silent, ["setup-node"], "it is reached over messaging only");
    for (const { name, pid } of document.processes) assert.ok(await isAlive(pid), `${name} died`);
    const body = crypto.getRandomValues(new Uint8Array(60_000));
    assert.deepEqual(await fetchThrough(document.socks, body), body);
  });

  await t.step("SIGTERM ends the demo and all its processes", async () => {
    assert.equal(await demo.end(), 0);
    for (const { name, pid } of document.processes) assert.ok(!(await isAlive(pid)), `${name} lives on`);
  });
});

/** Random bytes, zeros, ones, broken HTTP and a length prefix that promises too much. */
async function throwGarbage(port: number, connections: number): Promise<void> {
  for (let i = 0; i < connections; i++) {
    const bytes = crypto.getRandomValues(new Uint8Array(1 + (i * 37) % 2000));
    if (i % 5 === 1) bytes.fill(0);
    if (i % 5 === 2) bytes.fill(0xff);
    if (i % 5 === 3) {
      bytes.set(new TextEncoder().encode("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n{{{").subarray(0, bytes.length));
    }
    if (i % 5 === 4) bytes.set([0xff, 0xff].slice(0, bytes.length));
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(bytes);
    } catch {
      // Refused or reset: its right.
    }
  }
}

async function fetchThrough(socks: string, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response(body));
  const args = ["-sS", "--max-time", "30", "--socks5-hostname", socks, `http://127.0.0.1:${server.addr.port}/`];
  const { success, stdout, stderr } = await new Deno.Command("curl", { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return stdout;
}

/** TCP ports a process listens on, from the kernel's tables (Linux). */
async function listeningPorts(pid: number): Promise<number[]> {
  const inodes = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    if (target.startsWith("socket:[")) inodes.add(target.slice(8, -1));
  }
  const rows = (await Deno.readTextFile("/proc/net/tcp")).split("\n").slice(1).map((row) => row.trim().split(/\s+/));
  return rows.filter((row) => row[3] === "0A" && inodes.has(at(row, 9))).map((row) =>
    parseInt(at(at(row, 1).split(":"), 1), 16)
  );
}
