/** The demo from beginning to end. */

import process from "node:process";
import cliProgress from "cli-progress";
import { ADD_PROXY } from "../../../lib/visor/proxies/api.ts";
import { PING } from "../../../lib/visor/routes/api.ts";
import { formatFigure } from "../../../lib/runtime/mod.ts";
import { at } from "../../../lib/types/at.ts";
import { type PublicKey, shortKey } from "../../../lib/types/mod.ts";
import { SkywireError } from "../../../lib/errors/mod.ts";
import type { CliHost } from "../../../lib/cli/host.ts";
import { formatTable } from "../../../lib/cli/table.ts";
import { cpuBetween, cpuSeconds } from "./cpu.ts";
import { type DemoLine, startLine, waitForRoute } from "./network.ts";
import { Processes, type ProcessRecipe } from "./processes.ts";
import { type Transfer, transferFile } from "./transfer.ts";

/** The options of the command. */
export interface DemoOptions {
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly bytes: number;
  readonly hops: number;
}

/** What the demo found. */
interface DemoResult {
  readonly ok: true;
  readonly route: {
    readonly hops: number;
    readonly visors: readonly string[];
    readonly transports: readonly { readonly id: string; readonly type: string }[];
    readonly setupMs: number;
  };
  readonly transfer: Transfer;
  readonly hopLatencyMs: readonly number[];
  readonly socks: string;
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly processes: readonly ProcessRecipe[];
}

const ROUTE_MS = 20_000;
const PINGS_PER_HOP = 5;

/**
 * Runs it.
 * @throws {SkywireError} whose message begins with the step that failed
 */
export async function runDemo(options: DemoOptions, host: CliHost): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skywire-demo-" });
  let current = "begin";
  const step = (text: string): void => {
    host.interrupted.throwIfAborted();
    current = text;
    if (!options.json) host.printError(`· ${text}`);
  };
  try {
    await using processes = new Processes({ logFolder: folder, signal: host.interrupted });
    const result = await demonstrate(options, { host, folder, processes, step });
    host.print(options.json ? JSON.stringify(result) : describe(result, host));
    if (options.keep) {
      if (!options.json) host.print(whatToTry(result, folder));
      await new Promise<void>((resolve) => {
        if (host.interrupted.aborted) resolve();
        host.interrupted.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  } catch (cause) {
    const code = cause instanceof SkywireError ? cause.code : "demo/failed";
    throw new SkywireError(code, `Step "${current}" of the demo failed`, { cause });
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function demonstrate(
  options: DemoOptions,
  context: { host: CliHost; folder: string; processes: Processes; step: (text: string) => void },
): Promise<DemoResult> {
  const { host, folder, processes, step } = context;
  const line = await startLine(options.hops + 1, context);
  const first = at(line.visors, 0), last = at(line.visors, -1);

  step(`find and set up a route of ${options.hops} hop${options.hops === 1 ? "" : "s"}`);
  const route = await waitForRoute(line, ROUTE_MS);
  // The first set-up also opens messaging streams and warms the code up; the second is what a user sees from then on.
  const once = { body: { remote: last.publicKey, count: 1 } };
  await first.control.ask(PING, once);
  const { setupMs } = await first.control.ask(PING, once);
  const hopLatencyMs = await hopLatencies(line);

  step("start the proxy");
  await last.control.ask(ADD_PROXY, {
    body: { role: "server", allow: [], destinations: ["public", "127.0.0.0/8"] },
  });
  const { proxy } = await first.control.ask(ADD_PROXY, {
    body: { role: "client", to: last.publicKey, listen: "127.0.0.1:0" },
  });

  step(`download ${options.bytes / 1e6} MB with curl`);
  const bar = progressBar(options, host);
  const before = await cpuSeconds(processes.recipes);
  const transfer = await transferFile(options.bytes, {
    folder,
    socks: proxy.listen!,
    signal: host.interrupted,
    onProgress: (received) => bar?.update(received),
  }).finally(() => bar?.stop());
  const used = cpuBetween(before, await cpuSeconds(processes.recipes));
  if (transfer.sha256Sent !== transfer.sha256Received) {
    throw new SkywireError("demo/checksum", "Compare the checksums: what arrived is not what was sent");
  }

  return {
    ok: true,
    route: {
      hops: route.hops,
      visors: route.visors,
      transports: line.transports.map(({ id, type }) => ({ id, type })),
      setupMs,
    },
    transfer,
    hopLatencyMs,
    socks: proxy.listen!,
    cpuSeconds: used,
    processes: processes.recipes,
  };
}

/** The round trip between neighbours, ms: the best of some pings, since what others do on the machine only adds to it. */
async function hopLatencies({ visors }: DemoLine): Promise<number[]> {
  const latencies: number[] = [];
  for (const [i, next] of visors.slice(1).entries()) {
    const body = { remote: next.publicKey, count: PINGS_PER_HOP };
    latencies.push(Math.min(...(await at(visors, i).control.ask(PING, { body })).rttMs));
  }
  return latencies;
}

function progressBar(options: DemoOptions, host: CliHost): cliProgress.SingleBar | undefined {
  if (options.json || !host.isTerminal) return undefined;
  const bar = new cliProgress.SingleBar({
    format: "  {bar} {percentage}%  {megabytes} MB  {eta} s left",
    stream: process.stderr,
    hideCursor: true,
  }, cliProgress.Presets.shades_classic);
  bar.start(options.bytes, 0, { megabytes: Math.round(options.bytes / 1e6) });
  return bar;
}

function describe(result: DemoResult, host: CliHost): string {
  const { route, transfer } = result;
  const rows = [
    ["route", route.visors.map((key) => shortKey(key as PublicKey)).join(" → ")],
    ["set-up", `${formatFigure(route.setupMs)} ms`],
    ["latency per hop", result.hopLatencyMs.map((ms) => `${formatFigure(ms)} ms`).join(", ")],
    ["transfer", `${transfer.bytes / 1e6} MB in ${formatFigure(transfer.seconds)} s`],
    ["throughput", `${formatFigure(transfer.megabytesPerSecond)} MB/s`],
    ["SHA-256", `${transfer.sha256Sent.slice(0, 16)}…, equal at both ends`],
  ];
  return formatTable([`${route.hops} HOP${route.hops === 1 ? "" : "S"}`, ""], {
    rows,
    nothing: "",
    colours: host.isTerminal,
  });
}

function whatToTry(result: DemoResult, folder: string): string {
  return [
    "",
    "The network is up until Ctrl-C. Try:",
    `  curl --socks5-hostname ${result.socks} http://example.org/`,
    `  deno run -A cmd/skywire.ts status --data ${folder}/visor-a`,
    `  deno run -A cmd/skywire.ts route rules --data ${folder}/visor-b`,
    `  deno run -A cmd/skywire.ts ping ${result.route.visors.at(-1)} --data ${folder}/visor-a`,
  ].join("\n");
}
