/** The real process around the commands: arguments, environment, streams and signals of Deno. */

import { basename, delimiter, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { CliHost } from "../lib/cli/host.ts";
import { shellWord } from "../lib/cli/shell_word.ts";
import { createDenoRuntime, createDenoStorage, standardError, standardOutput } from "../lib/runtime/deno/mod.ts";
import { printable, printableWithBold } from "../lib/runtime/mod.ts";
import { ClosedError, describeError, RefusedError } from "../lib/errors/mod.ts";

/** How long the end waits for the last lines of a stream that is not read, ms. */
const LAST_LINES_MS = 500;

/** The host, and the end of its process. */
export interface ProcessHost extends CliHost {
  /**
   * Waits until all output is written; once interrupted, no longer than half a second.
   * @param code what the process should exit with
   * @returns `code`, or 1 when output was lost
   */
  readonly finish: (code: number) => Promise<number>;
}

/** Set for a program that is to end when its standard input ends: with the process that started it, however that dies. */
export const END_WITH_STDIN = "SKYWIRE_END_WITH_STDIN";

/** Makes the host. Signals are listened to from now on. */
export function createHost(): ProcessHost {
  const interrupted = new AbortController();
  endOnSignals(interrupted);
  if (Deno.env.get(END_WITH_STDIN)) endWithStdin(interrupted);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let lost: unknown;
  const write = async (bytes: Uint8Array): Promise<void> => {
    try {
      if (lost === undefined) await standardOutput.write(bytes);
    } catch (error) {
      lost = error;
      // Nobody gets the result any more: whatever runs ends in order.
      interrupted.abort(error);
    }
    if (lost !== undefined) throw lost;
  };
  const isScreen = Deno.stdout.isTerminal();
  const tell = (text: string): void => void standardError.write(encoder.encode(text)).catch(() => {});
  const isTerminal = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
  const showsProgress = isTerminal && Deno.stderr.isTerminal();
  return {
    env,
    defaultDataFolder: defaultDataFolder(),
    program: programAsTyped(),
    isTerminal,
    print: (line) => void write(encoder.encode(`${printableWithBold(line)}\n`)).catch(() => {}),
    write: (bytes) => write(isScreen ? encoder.encode(printable(decoder.decode(bytes, { stream: true }))) : bytes),
    printError: (line) => tell(`${printable(line)}\n`),
    // To the start of the line, and clear what was there.
    showProgress: (line) => showsProgress && tell(`\r\x1b[K${printable(line)}`),
    createRuntime: ({ logLevel }) => createDenoRuntime({ logLevel }),
    openFolder: (path) => createDenoStorage(path),
    workTreeOf,
    readFile: async (path) => {
      try {
        return await Deno.readTextFile(path);
      } catch (cause) {
        const missing = cause instanceof Deno.errors.NotFound;
        throw new RefusedError(missing ? "cli/no-such-file" : "cli/unreadable-file", `Read "${path}"`, { cause });
      }
    },
    importModule: async (path) => {
      try {
        return (await import(pathToFileURL(resolve(path)).href)).default;
      } catch (cause) {
        throw new RefusedError("cli/bad-module", `Load "${path}"`, { cause });
      }
    },
    outlive: (tell) => {
      globalThis.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        tell(event.reason);
      });
    },
    interrupted: interrupted.signal,
    finish: async (code) => {
      await untilRead(standardOutput.flush().catch(() => {}), interrupted.signal);
      if (standardOutput.waitingBytes > 0) {
        lost ??= new ClosedError("output/failed", "Write to standard output: ended first");
      }
      if (lost !== undefined) tell(`skywire: ${printable(describeError(lost))} (output/failed)\n`);
      await untilRead(standardError.flush().catch(() => {}), AbortSignal.abort());
      return lost === undefined ? code : code || 1;
    },
  };
}

/** What one types here to start the whole program, which stands beside those of single roles. */
function programAsTyped(): string {
  if (Deno.build.standalone) {
    const path = Deno.execPath();
    const isFound = (Deno.env.get("PATH") ?? "").split(delimiter).includes(dirname(path));
    return shellWord(isFound ? basename(path) : path);
  }
  const program = new URL("skywire.ts", Deno.mainModule);
  if (program.protocol !== "file:") return `deno run -A ${program}`;
  return `deno run -A ${shellWord(relative(Deno.cwd(), fileURLToPath(program)))}`;
}

function endOnSignals(interrupted: AbortController): void {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  // To be asked before the first listener: from then on Deno itself takes SIGHUP, and ends by it.
  const stays = ignoresHangups();
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (signal === "SIGHUP" && stays) return;
      // A person who presses Ctrl-C again does not want to wait. A terminal that closes sends several signals by itself.
      if (interrupted.signal.aborted && signal === "SIGINT") Deno.exit(1);
      interrupted.abort(new ClosedError("cli/interrupted", `Go on: ${signal} came`));
    });
  }
}

/** Was the program started by `nohup`, which wants it to outlive its terminal? Only Linux tells. */
function ignoresHangups(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? "0";
    // The lowest bit is that of signal 1, SIGHUP.
    return (BigInt(`0x${ignored}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

async function endWithStdin(interrupted: AbortController): Promise<void> {
  const into = new Uint8Array(1024);
  try {
    while (await Deno.stdin.read(into) !== null);
  } catch {
    // As good as its end.
  }
  interrupted.abort(new ClosedError("cli/interrupted", "Go on: standard input ended"));
}

/** Waits for output to be written: as long as it takes, until somebody wants an end. */
async function untilRead(written: Promise<void>, hurry: AbortSignal): Promise<void> {
  const hurried = new Promise<void>((resolve) => {
    const limit = (): void => void setTimeout(resolve, LAST_LINES_MS);
    if (hurry.aborted) return limit();
    hurry.addEventListener("abort", limit, { once: true });
  });
  await Promise.race([written, hurried]);
}

/** Empty means unset, as everywhere on Unix. */
function env(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

/** A folder that the environment names. A relative one would be another one in each folder, and is not looked at. */
function envFolder(name: string): string | undefined {
  const path = env(name);
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function defaultDataFolder(): string | undefined {
  const home = envFolder("HOME") ?? envFolder("USERPROFILE");
  const base = Deno.build.os === "windows"
    ? envFolder("LOCALAPPDATA") ?? home
    : Deno.build.os === "darwin"
    ? within(home, "Library", "Application Support")
    : envFolder("XDG_DATA_HOME") ?? within(home, ".local", "share");
  return within(base, "skywire");
}

function within(folder: string | undefined, ...names: readonly string[]): string | undefined {
  return folder === undefined ? undefined : join(folder, ...names);
}

async function workTreeOf(path: string): Promise<string | undefined> {
  for (let folder = resolve(path);; folder = dirname(folder)) {
    // A folder, or in a linked work tree a file.
    if (await Deno.lstat(join(folder, ".git")).then(() => true, () => false)) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
