/**
 * What the roles share: they start, print one line when ready, and go on until they are asked to end. Tested in
 * tests/e2e/services_test.ts.
 */

import type { Command } from "commander";
import { generateSecretKey } from "../core/mod.ts";
import { describeError, hasCode } from "../errors/mod.ts";
import { type Runtime, untilAborted, withTimeout } from "../runtime/mod.ts";
import { formatHex, type PublicKey, type SecretKey } from "../types/mod.ts";
import type { ListenerView } from "../network/mod.ts";
// Not by its `mod.ts`: a service has no use for a whole visor in its memory.
import { parseSecretKeyFile } from "../visor/data_folder.ts";
import {
  addressArgument,
  type CommonOptions,
  databaseArgument,
  logLevel,
  makeCommand,
  warnOfWorkTree,
} from "./command.ts";
import type { CliHost } from "./host.ts";

/** For an end in order, ms: 2 s are promised, and the process has to go, too. */
const END_WITHIN_MS = 1_800;

/** The options of every service. */
export interface ServiceOptions extends CommonOptions {
  readonly listen: string;
  readonly db: string;
  readonly key?: string;
  readonly behindProxy?: boolean;
}

/** The line that a service prints when it is ready. */
export interface ServiceReady {
  readonly publicKey: PublicKey;
  readonly url?: string;
  readonly listeners: readonly ListenerView[];
}

/** A role that has started. */
export interface StartedRole<Ready> {
  readonly ready: Ready;
  /** Ends it, within 2 s. */
  readonly close: () => Promise<void>;
}

/**
 * Makes the command of a service with the options that all services take. Those that keep no records take `--db`, too,
 * so that all of them can be started alike. Without an address in `listen` it has no other use for one than its status.
 */
export function makeServiceCommand(
  name: string,
  texts: { description: string; examples: readonly string[]; listen?: string },
): Command {
  const listens = texts.listen === undefined
    ? "host:port to answer /health and /metrics on (default: at the public key only)"
    : "host:port to listen on; port 0 takes a free one";
  return makeCommand(name, texts)
    .option("--listen <address>", listens, addressArgument, texts.listen)
    .option("--db <location>", "where records are kept, if any: sqlite:FILE or memory:", databaseArgument, "memory:")
    .option("--key <file>", "the file of its secret key, made when missing (default: a fresh key each time)")
    .option(
      "--behind-proxy",
      "a proxy stands in front: believe the X-Real-IP or X-Forwarded-For that it sets, and count clients by it",
    );
}

/** Starts a role, says so, waits for the signal, ends it. */
export async function runRole<Ready>(
  context: { readonly options: CommonOptions; readonly host: CliHost; readonly describe: (ready: Ready) => string },
  start: (runtime: Runtime) => Promise<StartedRole<Ready>>,
): Promise<void> {
  const { options, host, describe } = context;
  using runtime = host.createRuntime({ logLevel: logLevel(options, "info") });
  // A mistake of ours in one connection must not take all the others along.
  host.outlive((error) => runtime.log.error("bug", { error: describeError(error) }));
  const starting = start(runtime);
  try {
    const { ready } = await untilAborted(starting, host.interrupted);
    host.print(options.json ? JSON.stringify(ready) : describe(ready));
    await untilAborted(new Promise<never>(() => {}), host.interrupted);
  } catch (error) {
    if (!host.interrupted.aborted) throw error;
  }
  const end = withTimeout(async () => await (await starting.catch(() => undefined))?.close(), {
    timers: runtime.timers,
    ms: END_WITHIN_MS,
    code: "cli/slow-end",
    message: "End in order",
  });
  // The process ends in any case. Files are written whole, so nothing is left in halves.
  await end.catch((error) => runtime.log.warn("ended-early", { error: describeError(error) }));
}

/** How a service shows its ready line to people. */
export function describeService(ready: ServiceReady): string {
  return [`ready: ${ready.url ?? ready.listeners[0]?.address ?? ""}`, `public key ${ready.publicKey}`].join("\n");
}

/** The key of a service. */
export interface LoadedKey {
  readonly secret: SecretKey;
  /** Writes a key that was made for a file; to be called when the service runs, so that one that fails leaves none behind. */
  readonly save: () => Promise<void>;
}

/**
 * The secret key of a file, which is made when it is missing; a fresh key without a file.
 * @throws {RefusedError} `config/bad-key`
 */
export async function loadKey(
  file: string | undefined,
  context: { readonly host: CliHost; readonly runtime: Runtime },
): Promise<LoadedKey> {
  const { host, runtime } = context;
  const save = (): Promise<void> => Promise.resolve();
  if (file === undefined) return { secret: generateSecretKey(runtime.random), save };
  try {
    return { secret: parseSecretKeyFile(await host.readFile(file), file), save };
  } catch (error) {
    if (!hasCode(error, "cli/no-such-file")) throw error;
  }
  const secret = generateSecretKey(runtime.random);
  return { secret, save: () => saveKey(secret, file, context) };
}

async function saveKey(
  secret: SecretKey,
  file: string,
  { host, runtime }: { readonly host: CliHost; readonly runtime: Runtime },
): Promise<void> {
  const cut = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
  const folder = host.openFolder(cut < 0 ? "." : file.slice(0, cut) || "/");
  await warnOfWorkTree(file, { what: "the secret key", host, log: runtime.log });
  await folder.write(file.slice(cut + 1), new TextEncoder().encode(formatHex(secret.expose()) + "\n"));
}
