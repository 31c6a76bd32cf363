/**
 * Dials that need no route finder, with real processes: a demo network of three visors in a line, and one more before it.
 *
 * ```
 * lone ─── visor-a ─── visor-b ─── visor-c      lone has a ticket that names no route finder
 * ```
 */

import assert from "node:assert/strict";
import { formatTicket, parseTicket } from "../../lib/network/mod.ts";
import { at } from "../../lib/types/at.ts";
import { denoArgv, Program, runToEnd, temporaryFolder } from "./program.ts";

interface DemoDocument {
  readonly route: { readonly visors: readonly string[] };
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly argv: readonly string[] }[];
}

interface PingDocument {
  readonly hops: number;
  readonly visors: readonly string[];
}

Deno.test("visors dial over several hops without a route finder", async (t) => {
  await using folder = await temporaryFolder();
  const demoArgs = ["--json", "--keep", "--hops", "2", "--bytes", "1000"];
  await using demo = new Program(denoArgv("cmd/dev/demo.ts", demoArgs));
  const { route: { visors }, processes } = await demo.nextJson<DemoDocument>();
  const dataA = optionOf(processes, { name: "visor-a", option: "--data" });
  const last = at(visors, -1);

  await t.step("with --routes local, and none in its ticket, one dials over three hops", async () => {
    const { routeFinder: _, ...network } = parseTicket(optionOf(processes, { name: "visor-a", option: "--join" }));
    const data = `${folder.path}/lone`;
    const args = ["--data", data, "--json", "--routes", "local", "--join", formatTicket(network)];
    await using lone = new Program(denoArgv("cmd/visor.ts", args));
    const { publicKey } = await lone.nextJson<{ publicKey: string }>();
    const { ports } = JSON.parse(await Deno.readTextFile(`${dataA}/config.json`));
    const address = `127.0.0.1:${ports["transport-stcp"]}`;
    await skywire(data, "transport", "add", at(visors, 0), "--type", "stcp", "--address", address);
    await untilFound(data, last);
    const { hops, visors: passed } = await skywire<PingDocument>(data, "ping", last, "--min-hops", "2", "--count", "1");
    assert.equal(hops, 3);
    assert.deepEqual(passed, [publicKey, ...visors]);
  });

  await t.step("when the route finder of the network is killed, the others dial all the same", async () => {
    Deno.kill(processes.find(({ name }) => name === "route-finder")!.pid, "SIGKILL");
    const args = ["ping", last, "--min-hops", "2", "--count", "1"];
    assert.equal((await skywire<PingDocument>(dataA, ...args)).hops, 2);
  });
});

/** What a command of a visor prints. */
async function skywire<T>(data: string, ...args: readonly string[]): Promise<T> {
  const { code, lines } = await runToEnd("cmd/skywire.ts", ...args, "--data", data, "--json");
  assert.equal(code, 0, lines.join("\n"));
  return JSON.parse(at(lines, 0)) as T;
}

/** The map learns of a new transport a moment later; each question takes a process, and so a while. */
async function untilFound(data: string, remote: string): Promise<void> {
  for (let questions = 1; questions <= 30; questions++) {
    if ((await runToEnd("cmd/skywire.ts", "route", "find", remote, "--data", data, "--json")).code === 0) return;
  }
  throw new Error("no route was found");
}

function optionOf(
  processes: DemoDocument["processes"],
  { name, option }: { readonly name: string; readonly option: string },
): string {
  const { argv } = processes.find((process) => process.name === name)!;
  return at(argv, argv.indexOf(option) + 1);
}
