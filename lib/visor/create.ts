/** The way into a visor for programs that embed one. */

import { createDenoRuntime, createDenoStorage } from "../runtime/deno/mod.ts";
import type { Simulation } from "../simulation/mod.ts";
import { startVisor } from "./start.ts";
import type { VisorSettings } from "./settings.ts";
import type { Visor } from "./visor.ts";

/** What {@link createVisor} may be told. */
export interface CreateVisorOptions extends VisorSettings {
  /** The data folder, made when it is missing. What the visor needs is kept there, readable by its owner only. */
  readonly data: string;
  /**
   * For tests: a network in memory instead of this machine. `data` is the name of a host in it, which keeps the files.
   * Its time stands still unless driven: `await network.run(createVisor({ network, data: "a" }))`, and so for each call
   * that takes time; awaited outside of `run` they never end.
   */
  readonly network?: Simulation;
  /** From this level on, log lines go to stderr; default `warn`. */
  readonly logLevel?: "debug" | "info" | "warn" | "error";
}

/**
 * Starts a visor in this process. It is ready when it is connected; without a network it is ready after 3 s and connects
 * as soon as there is one.
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
 * @throws {RefusedError} `config/bad-ticket`, `config/invalid`, `config/bad-key`, `transport/bad-kind`,
 * `visor/already-running`, `visor/foreign-folder`
 * @throws {UnavailableError} `storage/read-failed`, `storage/write-failed`, `network/listen-failed`
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
