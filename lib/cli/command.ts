/**
 * What all commands share: the options that stand everywhere, the output in its two forms, and exit codes
 * (0 done, 1 failed, 2 wrong usage).
 */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { isKeyText } from "../check/mod.ts";
import { describeError, hasCode, RefusedError, SkywireError } from "../errors/mod.ts";
import { type Log, type LogLevel, parseAddress } from "../runtime/mod.ts";
import { isDatabaseLocation } from "../storage/mod.ts";
import { parseTransportId } from "../types/mod.ts";
import type { CliHost } from "./host.ts";

/** The options that every command takes. */
export interface CommonOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose: number;
}

/** Makes a command with the common options. `examples` are shown below its help. */
export function makeCommand(name: string, texts: { description: string; examples: readonly string[] }): Command {
  return new Command(name)
    .description(texts.description)
    .option("--data <dir>", "the data folder (default: $SKYWIRE_DATA, else the platform's)", pathText)
    .option("--json", "print one JSON document a line on stdout, and nothing else there")
    .option("--quiet", "print results and errors only")
    .addOption(
      new Option("-v, --verbose", "log more; given twice: log every step")
        .default(0)
        .argParser((_value, previous: number) => previous + 1),
    )
    .addHelpText("after", formatExamples(texts.examples));
}

/** Makes a command that only holds others. */
export function makeGroup(
  name: string,
  texts: { description: string; examples: readonly string[]; commands: readonly Command[] },
): Command {
  const group = new Command(name).description(texts.description).addHelpText("after", formatExamples(texts.examples));
  for (const command of texts.commands) group.addCommand(command);
  return group;
}

function formatExamples(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`;
}

/**
 * The data folder that the options or the environment name.
 * @throws {RefusedError} `cli/no-data-folder` when none does: a key must not end up wherever the command was started
 */
export function dataFolder(options: CommonOptions, host: CliHost): string {
  const folder = options.data ?? host.env("SKYWIRE_DATA") ?? host.defaultDataFolder;
  if (folder !== undefined) return folder;
  throw new RefusedError(
    "cli/no-data-folder",
    "Find the data folder: the environment names no home folder; name one with --data or SKYWIRE_DATA",
  );
}

/** Warns of keys in a place where they are easily published. @param what lies in `path` */
export async function warnOfWorkTree(
  path: string,
  context: { readonly what: string; readonly host: CliHost; readonly log: Log },
): Promise<void> {
  const { what, host, log } = context;
  const workTree = await host.workTreeOf(path);
  if (workTree !== undefined) log.warn("key-in-work-tree", { what, path, workTree });
}

/** Checks the path of a file or folder, for commander. An empty one would mean the current folder. */
function pathText(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("Wanted a path, which is not empty.");
}

/** How much a command logs to stderr. */
export function logLevel(options: CommonOptions, usual: LogLevel): LogLevel {
  if (options.quiet) return "error";
  return options.verbose >= 2 ? "trace" : options.verbose === 1 ? "debug" : usual;
}

/** Prints a result: as JSON, or as the text that `describe` makes of it. Both come from the same value. */
export function printResult<T>(
  value: T,
  output: { readonly options: CommonOptions; readonly host: CliHost; readonly describe: (value: T) => string },
): void {
  output.host.print(output.options.json ? JSON.stringify(value) : output.describe(value));
}

/** Parses a whole number within bounds, for commander. */
export function wholeNumber(bounds: { readonly min: number; readonly max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < bounds.min || value > bounds.max) {
      throw new InvalidArgumentError(`Wanted a whole number from ${bounds.min} to ${bounds.max}.`);
    }
    return value;
  };
}

/** Checks a public key, its first digits (8 or more) or a name, for commander. The visor knows which key is meant. */
export function keyArgument(text: string): string {
  const small = text.toLowerCase();
  if (isKeyText(small)) return small;
  throw new InvalidArgumentError("Wanted a public key: 66 hex digits, at least its first 8, or a name.");
}

/** Checks the URL of a service, for commander. */
export function urlArgument(text: string): string {
  const { protocol } = URL.parse(text) ?? {};
  if (protocol === "http:" || protocol === "https:") return text.replace(/\/+$/, "");
  throw new InvalidArgumentError("Wanted a URL such as http://127.0.0.1:9090.");
}

/** Checks an address to listen on or to connect to, for commander. */
export function addressArgument(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw new InvalidArgumentError("Wanted host:port, such as 127.0.0.1:8081.");
}

/** Checks where a database is, for commander. */
export function databaseArgument(text: string): string {
  if (isDatabaseLocation(text)) return text;
  throw new InvalidArgumentError("Wanted sqlite:FILE or memory:.");
}

/** Checks a path for commander: public keys of visors and ids of transports, separated by commas. */
export function pathArgument(text: string): string[] {
  return text.split(",").map((step) => parseTransportId(step) ?? keyArgument(step));
}

/** For options that may be given several times: checks each and collects them, for commander. */
export function collect<T>(parse: (text: string) => T): (text: string, before: readonly T[] | undefined) => T[] {
  return (text, before = []) => [...before, parse(text)];
}

/**
 * Runs a program to its end.
 * @returns the exit code
 */
export async function runProgram(
  program: Command,
  context: { args: readonly string[]; host: CliHost },
): Promise<number> {
  const { args, host } = context;
  const json = args.includes("--json");
  applyToAll(program, (command) => {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => host.print(text.replace(/\n$/, "")),
      writeErr: (text) => host.printError(text.replace(/\n$/, "")),
    });
    command.showHelpAfterError("(add --help for usage and examples)");
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (json) printErrorDocument(new RefusedError("cli/usage", error.message.replace(/^error: /, "")), host);
      return 2;
    }
    // The host says so at the end, where results can still be lost.
    if (hasCode(error, "output/failed")) return 1;
    if (json) printErrorDocument(error, host);
    // The person who pressed Ctrl-C knows why it ended.
    else if (!hasCode(error, "cli/interrupted")) host.printError(errorText(error));
    return 1;
  }
}

function applyToAll(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const child of command.commands) applyToAll(child, change);
}

function printErrorDocument(error: unknown, host: CliHost): void {
  const code = error instanceof SkywireError ? error.code : "bug/unexpected";
  const details = error instanceof SkywireError ? error.details : {};
  host.print(JSON.stringify({ error: { code, message: describeError(error), details } }));
}

function errorText(error: unknown): string {
  const code = error instanceof SkywireError ? ` (${error.code})` : "";
  return `skywire: ${describeError(error)}${code}`;
}
