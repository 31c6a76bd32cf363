/** Starts the processes of the demo, waits for their ready lines, and ends them all. */

import { fileURLToPath } from "node:url";
import { UnavailableError } from "../../../lib/errors/mod.ts";
import { untilAborted } from "../../../lib/runtime/mod.ts";
import { at } from "../../../lib/types/at.ts";
import { END_WITH_STDIN } from "../../host.ts";

/** How to start a process again by hand. */
export interface ProcessRecipe {
  readonly name: string;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The line that a role prints when it is ready. */
export interface ReadyLine {
  readonly publicKey: string;
  readonly url?: string;
  readonly api?: string;
  readonly listeners: readonly { readonly purpose: string; readonly address: string }[];
}

/** A process that is ready. */
export interface RunningProcess {
  readonly recipe: ProcessRecipe;
  readonly ready: ReadyLine;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const READY_MS = 30_000;
/** After SIGTERM a role ends within 2 s; what is still there after this is killed. */
const END_MS = 3_000;

/** All processes of one demo. Disposing ends them; so does the end of this process, however it comes. */
export class Processes implements AsyncDisposable {
  readonly #logFolder: string;
  readonly #signal: AbortSignal;
  readonly #children: { readonly child: Deno.ChildProcess; readonly log: Promise<void> }[] = [];
  readonly #recipes: ProcessRecipe[] = [];

  /** @param options `logFolder`: where each process's stderr goes, a file each; `signal`: ends the wait for a process */
  constructor({ logFolder, signal }: { readonly logFolder: string; readonly signal: AbortSignal }) {
    this.#logFolder = logFolder;
    this.#signal = signal;
  }

  /** How each was started, in order of starting. */
  get recipes(): readonly ProcessRecipe[] {
    return this.#recipes;
  }

  /**
   * Starts `cmd/<program>.ts` and waits until it is ready.
   * @throws {UnavailableError} `demo/not-ready`, with the end of what it logged; the reason of the signal
   */
  async start(
    name: string,
    options: { readonly program: string; readonly args: readonly string[] },
  ): Promise<RunningProcess> {
    const argv = [Deno.execPath(), "run", "-A", `cmd/${options.program}.ts`, ...options.args, "--json"];
    const env = { NO_COLOR: "1" };
    const child = new Deno.Command(at(argv, 0), {
      args: argv.slice(1),
      cwd: ROOT,
      env: { ...env, [END_WITH_STDIN]: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const logFile = `${this.#logFolder}/${name}.log`;
    const log = copyToFile(child.stderr, logFile);
    this.#children.push({ child, log });

    const line = await untilAborted(firstLine(child.stdout, READY_MS), this.#signal);
    if (line === undefined) {
      const text = await Deno.readTextFile(logFile).catch(() => "");
      throw new UnavailableError(
        "demo/not-ready",
        `Start ${name}: not ready within ${READY_MS / 1000} s; it logged: ${text.slice(-500).trim() || "nothing"}`,
      );
    }
    const ready = JSON.parse(line) as ReadyLine;
    const address = ready.listeners[0]?.address;
    const fixed = argv.map((arg) => arg === "127.0.0.1:0" && address !== undefined ? address : arg);
    const recipe: ProcessRecipe = { name, pid: child.pid, argv: fixed, cwd: ROOT, env };
    this.#recipes.push(recipe);
    return { recipe, ready };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.toReversed().map(async ({ child, log }) => {
        signal(child, "SIGTERM");
        const timer = setTimeout(() => signal(child, "SIGKILL"), END_MS);
        await child.status;
        clearTimeout(timer);
        await child.stdin.abort().catch(() => {});
        await log.catch(() => {});
      }),
    );
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended by itself.
  }
}

/** Each piece is in the file before the next one comes: the end of a log is what one wants to see of a failure. */
async function copyToFile(stream: ReadableStream<Uint8Array<ArrayBuffer>>, path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
  for await (const chunk of stream) for (let rest = chunk; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
}

/** Reads the first line and keeps the rest of the stream flowing, so that the process never blocks on it. */
async function firstLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  withinMs: number,
): Promise<string | undefined> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), withinMs));
  try {
    while (!text.includes("\n")) {
      const next = await Promise.race([reader.read(), late]);
      if (next === undefined || next.done) return undefined;
      text += next.value;
    }
    return text.slice(0, text.indexOf("\n"));
  } finally {
    clearTimeout(timer);
    drain(reader);
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The process is gone, and nobody waits for its output.
  }
}
