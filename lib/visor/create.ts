/** The way into a visor for programs that embed one. */

import { createDenoRuntime, createDenoStorage } from "../runtime/deno/mod.ts";
import type { Simulation } from "../simulation/mod.ts";
import { startVisor } from "./start.ts";
import type { VisorSettings } from "./settings.ts";
import type { Visor } from "./visor.ts";

/** The options of {@link createVisor}. */
export interface CreateVisorOptions extends VisorSettings {
  /** The data folder; it is made when it is missing. It keeps what the visor needs, readable by its owner only. */
  readonly data: string;
  /**
   * For tests: a network in memory in place of this machine. `data` then names a host in it, which keeps the files. Time
   * passes only inside `network.run(…)`, as in `await network.run(createVisor({ network, data: "a" }))`. Every call that
   * takes time needs it: awaited outside, it never ends.
   */
  readonly network?: Simulation;
  /** The lowest level of log lines on stderr. Default `warn`. */
  readonly logLevel?: "debug" | "info" | "warn" | "error";
}

/**
 * Starts a visor in this process. It is ready once connected, or after 3 s without a network; then it connects as soon as
 * there is one.
 *
 * ```ts ignore
 * await using visor = await createVisor({ data: "/tmp/node", join: ticket });
 * await using link = await visor.dial("02ab…", 8080);
 * ```
 *
 * The same in memory, as a test does it:
 *
 * ```ts
 * import { createVisor } from "./mod.ts";
 * import { createSimulation } from "../simulation/mod.ts";
 *
 * const network = createSimulation();
 * const a = await network.run(createVisor({ network, data: "a" }));
 * const b = await network.run(createVisor({ network, data: "b", join: a.ticket }));
 * const listener = a.listen(8080)[Symbol.asyncIterator]();
 * const [near, { value: far }] = await network.run(Promise.all([b.dial(a.publicKey, 8080), listener.next()]));
 * await network.run(near.write(new TextEncoder().encode("hello")));
 * const into = new Uint8Array(100);
 * const length = await network.run(far.read(into) as Promise<number>);
 * if (new TextDecoder().decode(into.subarray(0, length)) !== "hello") throw new Error("never");
 * for (const visor of [b, a]) await network.run(async () => await visor[Symbol.asyncDispose]());
 * ```
 *
 * @returns the visor, ready
 * @throws {RefusedError} `config/bad-ticket` when the ticket cannot be read; `config/local-ticket` when it is for another
 * machine only; `config/invalid` or `config/bad-key` when a file of the data folder or `v13Config` is wrong;
 * `config/other-visor` when `v13Config` belongs to another visor than the folder; `transport/bad-kind` when a driver has a
 * wrong or a taken kind; `visor/already-running` when another process uses the folder;
 * `visor/foreign-folder` when the folder holds files, but none of a visor
 * @throws {UnavailableError} `storage/read-failed` or `storage/write-failed` when the folder cannot be used; `network/listen-failed` when a port
 * cannot be had
 */
export async function createVisor(options: CreateVisorOptions): Promise<Visor> {
  const { data, network, logLevel = "warn", ...rest } = options;
  if (network !== undefined) {
    const world = { runtime: network.runtimeFor(data), storage: network.storageFor(data) };
    return await startVisor({ host: data, ...rest, ...world });
  }
  const runtime = createDenoRuntime({ logLevel });
  try {
    return await startVisor({ ...rest, runtime, storage: createDenoStorage(data), owned: runtime });
  } catch (error) {
    runtime[Symbol.dispose]();
    throw error;
  }
}
