/** What a command needs of the process it runs in. `cmd/host.ts` is the real one; tests have their own. */

import type { LogLevel, Runtime, Storage } from "../runtime/mod.ts";

/** The process around a command. */
export interface CliHost {
  /** An environment variable; undefined when it is empty, too. */
  readonly env: (name: string) => string | undefined;
  /** Where data is kept when neither `--data` nor `SKYWIRE_DATA` says so; undefined when the environment names no place. */
  readonly defaultDataFolder: string | undefined;
  /** What one types to start this program, such as `skywire` or `deno run -A cmd/skywire.ts`. */
  readonly program: string;
  /** The git work tree that a path, which need not exist, lies in. */
  readonly workTreeOf: (path: string) => Promise<string | undefined>;
  /** Is stdout a terminal, and is `NO_COLOR` not set? Decides on tables' colours and progress bars. */
  readonly isTerminal: boolean;
  /** Writes a line of result, in the background. When it cannot be written, `interrupted` aborts and the exit code is 1. */
  readonly print: (line: string) => void;
  /** Writes bytes of result as they are, but nothing that a terminal would obey. @throws when they cannot be written */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Writes a line for people. */
  readonly printError: (line: string) => void;
  /** Replaces the line that shows progress; an empty one removes it. Does nothing where stdout or stderr is no terminal. */
  readonly showProgress: (line: string) => void;
  /** The real ports, logging at `level` to stderr. */
  readonly createRuntime: (options: { readonly logLevel: LogLevel }) => Runtime & Disposable;
  /** A folder of private files, made when it is missing. */
  readonly openFolder: (path: string) => Storage;
  /** Any file the user names. */
  readonly readFile: (path: string) => Promise<string>;
  /** What a module exports by default. `path` is relative to the working folder. */
  readonly importModule: (path: string) => Promise<unknown>;
  /** From now on an error that nobody caught is told, and does not end the process. */
  readonly outlive: (tell: (error: unknown) => void) => void;
  /** Aborts when the process is asked to end: SIGINT, SIGTERM, SIGHUP; and when results cannot be written. */
  readonly interrupted: AbortSignal;
}
