/** The real process around the commands: arguments, environment, streams and signals of Deno. */

import { dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CliHost } from "../lib/cli/host.ts";
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

/** Makes the host. Signals are listened to from now on. */
export function createHost(): ProcessHost {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") {
      Deno.addSignalListener(signal, () => {
        // Whoever asks twice does not want to wait.
        if (interrupted.signal.aborted) Deno.exit(1);
        interrupted.abort(new ClosedError("cli/interrupted", `Go on: ${signal} came`));
      });
    }
  }
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
