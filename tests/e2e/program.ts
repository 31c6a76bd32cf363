/** Runs the programs as a user does: real processes, told by arguments, read by their output. */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs `deno run -A <script> …` to its end. */
export function runToEnd(script: string, ...args: readonly string[]): Promise<Ended> {
  return runArgv(denoArgv(script, args));
}

/** Runs any command line to its end. */
export async function runArgv(argv: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await command(argv).output();
  return {
    code,
    lines: new TextDecoder().decode(stdout).split("\n").filter((line) => line !== ""),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** A program that goes on until it is told to end. Disposing tells it. */
export class Program implements AsyncDisposable {
  /** The process. */
  readonly child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;

  /** Starts a command line, such as {@link denoArgv} gives. */
  constructor(argv: readonly string[]) {
    this.child = command(argv).spawn();
    this.#stderr = new Response(this.child.stderr).text();
    this.#lines = this.child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lineSplitter()).getReader();
  }

  /** Waits for the next line of output, as JSON. */
  async nextJson<T>(): Promise<T> {
    const { value, done } = await this.#lines.read();
    if (done) throw new Error(`ended without a line of output: ${await this.#stderr}`);
    return JSON.parse(value) as T;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    try {
      this.child.kill(signal);
    } catch {
      // Ended already.
    }
    await this.#lines.cancel();
    await this.#stderr;
    return (await this.child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** A folder that is gone afterwards. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "skywire-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The command line of a program of ours. */
export function denoArgv(script: string, args: readonly string[]): string[] {
  return [Deno.execPath(), "run", "-A", script, ...args];
}

/** Does a process run (Linux)? One that has ended and was not waited for does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ") X");
  return !["X", "Z"].includes(stat.slice(stat.lastIndexOf(")") + 2).charAt(0));
}

function command([program, ...args]: readonly string[]): Deno.Command {
  return new Deno.Command(program!, {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function lineSplitter(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller): void {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
