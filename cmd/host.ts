/** The real process around the commands: arguments, environment, streams and signals of Deno. */

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CliHost } from "../lib/cli/host.ts";
import { createDenoRuntime, createDenoStorage } from "../lib/runtime/deno/mod.ts";
import { ClosedError, RefusedError } from "../lib/errors/mod.ts";

/** Makes the host. Signals are listened to from now on. */
export function createHost(): CliHost {
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
  const isTerminal = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
  const showsProgress = isTerminal && Deno.stderr.isTerminal();
  return {
    env: (name) => Deno.env.get(name),
    defaultDataFolder: defaultDataFolder(),
    isTerminal,
    print: (line) => writeLine(Deno.stdout, line),
    write: (bytes) => writeBytes(Deno.stdout, bytes),
    printError: (line) => writeLine(Deno.stderr, line),
    // To the start of the line, and clear what was there.
    showProgress: (line) => showsProgress && writeText(Deno.stderr, `\r\x1b[K${line}`),
    createRuntime: ({ logLevel }) => createDenoRuntime({ logLevel }),
    openFolder: (path) => createDenoStorage(path),
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
  };
}

function writeLine(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  writeText(stream, line + "\n");
}

function writeText(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  writeBytes(stream, new TextEncoder().encode(text));
}

function writeBytes(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    // The reader went away (`skywire status | head -1`): nobody is left to tell.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function defaultDataFolder(): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  if (Deno.build.os === "darwin") return join(home, "Library", "Application Support", "skywire");
  if (Deno.build.os === "windows") return join(Deno.env.get("LOCALAPPDATA") ?? home, "skywire");
  return join(Deno.env.get("XDG_DATA_HOME") ?? join(home, ".local", "share"), "skywire");
}
