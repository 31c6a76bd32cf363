/**
 * Keeps a visor bound at the address resolver, so that others find its listener by its key: binds again every 5 minutes
 * (transports.md §2.2), and sooner after a failure.
 * Tested in tests/visor/public_visors_test.ts.
 */

import { describeError } from "../errors/mod.ts";
import { Backoff, type Runtime, sleep, untilAborted, withTimeout } from "../runtime/mod.ts";
import type { AddressResolverClient } from "../services/address_resolver/mod.ts";
import type { Finding } from "./status/history.ts";

/** How often visors bind. */
const BIND_EVERY_MS = 5 * 60_000;

/** The delays after failures. The longest is what it takes to be found after the resolver was away. */
const RETRY_MS = { firstMs: 1_000, maxMs: 60_000 };

/** A visor that ends does not wait longer for the resolver. */
const UNBIND_WITHIN_MS = 1_000;

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
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Why the last try failed; undefined after a success. */
  #problem: string | undefined = "it was not tried yet";
  #wasBound = false;

  constructor(deps: AddressBindingDeps) {
    this.#deps = deps;
    this.#running = this.#run(this.#closing.signal);
  }

  /** For the status of the visor. */
  get finding(): Finding {
    const { host, port } = this.#deps;
    const name = "public-address";
    if (this.#problem === undefined) return { name, state: "ok", detail: `others find it at ${host}:${port}` };
    return {
      name,
      state: "degraded",
      detail: `the address resolver does not know of ${host}:${port}: ${this.#problem}`,
      remedy: "it goes on trying; see that this machine reaches the resolver from the address named with --host",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#running;
    if (!this.#wasBound) return;
    const { runtime: { timers, log }, resolver } = this.#deps;
    await withTimeout(() => resolver.unbind(), {
      timers,
      ms: UNBIND_WITHIN_MS,
      code: "http/timeout",
      message: "Unbind at the address resolver",
    }).catch((error) => log.debug("unbind-failed", { error: describeError(error) }));
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { runtime: { timers, random, log } } = this.#deps;
    const backoff = new Backoff({ random, ...RETRY_MS });
    while (!signal.aborted) {
      let waitMs = BIND_EVERY_MS;
      try {
        await untilAborted(this.#bind(signal), signal);
        backoff.reset();
        if (this.#problem !== undefined) log.info("public-address-bound", { port: this.#deps.port });
        this.#problem = undefined;
        this.#wasBound = true;
      } catch (error) {
        if (signal.aborted) return;
        const problem = describeError(error);
        // Once for each reason: the tries go on for as long as it takes.
        if (problem !== this.#problem) log.warn("public-address-not-bound", { error: problem });
        this.#problem = problem;
        waitMs = backoff.nextMs();
      }
      await sleep(timers, waitMs, signal).catch(() => {});
    }
  }

  /** Tells the resolver no address but those others are to use (transports.md §10, W10). */
  async #bind(signal: AbortSignal): Promise<void> {
    const { runtime: { network }, resolver, host, port } = this.#deps;
    await resolver.bind(port, await network.resolve(host, { signal }));
  }
}
