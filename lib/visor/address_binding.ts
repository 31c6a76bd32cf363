/**
 * Keeps a visor bound at the address resolver, so that others find its listener by its key: binds again every 5 minutes
 * (transports.md §2.2), and sooner after a failure.
 * Tested in tests/visor/public_visors_test.ts.
 */

import type { Runtime } from "../runtime/mod.ts";
import type { AddressResolverClient } from "../services/address_resolver/mod.ts";
import { RepeatedReport } from "./repeated_report.ts";
import type { Finding } from "./status/history.ts";

/** How often visors bind. */
const BIND_EVERY_MS = 5 * 60_000;

/** What is bound. */
export interface AddressBindingDeps {
  readonly runtime: Pick<Runtime, "timers" | "random" | "log" | "network">;
  readonly resolver: AddressResolverClient;
  /** The name or address that others reach this machine by. */
  readonly host: string;
  /** Where it accepts TCP transports. */
  readonly port: number;
}

/** See the top of the file. Disposing unbinds. */
export class AddressBinding implements AsyncDisposable {
  readonly #deps: AddressBindingDeps;
  readonly #report: RepeatedReport;

  constructor(deps: AddressBindingDeps) {
    this.#deps = deps;
    const { runtime, resolver, host, port } = deps;
    this.#report = new RepeatedReport({
      runtime,
      name: "public-address",
      everyMs: BIND_EVERY_MS,
      // It tells the resolver no address but those that others are to use (transports.md §10, W10).
      report: async (signal) => await resolver.bind(port, await runtime.network.resolve(host, { signal })),
      takeBack: () => resolver.unbind(),
    });
  }

  /** For the status of the visor. */
  get finding(): Finding {
    const { host, port } = this.#deps;
    const name = "public-address", { problem } = this.#report;
    if (problem === undefined) return { name, state: "ok", detail: `others find it at ${host}:${port}` };
    return {
      name,
      state: "degraded",
      detail: `the address resolver does not know of ${host}:${port}: ${problem}`,
      remedy: "it goes on trying; see that this machine reaches the resolver from the address named with --host",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#report[Symbol.asyncDispose]();
  }
}
