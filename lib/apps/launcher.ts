/** Keeps apps running: starts and stops them by name, and runs one that failed again, later and later. */

import { ClosedError, describeError, RefusedError } from "../errors/mod.ts";
import { Backoff, type Runtime, sleep } from "../runtime/mod.ts";
import type { Port } from "../types/mod.ts";
import type { App } from "./app.ts";

/** The first and the longest wait before a failed app is run again, ms. */
const RESTART_FIRST_MS = 500;
const RESTART_MAX_MS = 30_000;

/** `failed`: it ended with an error and will be run again. */
export type AppState = "starting" | "running" | "stopped" | "failed";

/** How an app is. */
export interface AppSummary {
  /** How it is called. */
  readonly name: string;
  /** The port that it serves or dials. */
  readonly port: Port;
  /** What it does now. */
  readonly state: AppState;
  /** Since when it has been so, Unix ms. */
  readonly since: number;
  /** How often it was run again after a failure. */
  readonly restarts: number;
}

/** Apps by name. Disposing stops all. */
export interface Launcher extends AsyncDisposable {
  /** Makes an app known; it is stopped. @throws {RefusedError} `app/name-taken` */
  add(app: App): void;
  /** Stops an app and forgets it. @throws {RefusedError} `app/unknown` */
  remove(name: string): Promise<void>;
  /**
   * Starts an app; harmless when it has been started. Resolves when it does its work.
   * @throws {RefusedError} `app/unknown`
   * @throws {ClosedError} `app/stopped` when it was stopped before it did
   * @throws what made its first run fail; it is run again all the same, until it is stopped
   */
  start(name: string): Promise<void>;
  /** Ends an app and waits until it has ended. @throws {RefusedError} `app/unknown` */
  stop(name: string): Promise<void>;
  /** All apps, in the order in which they were added. */
  list(): readonly AppSummary[];
}

/** Makes a launcher without apps. */
export function createLauncher(deps: { readonly runtime: Runtime }): Launcher {
  const entries = new Map<string, Entry>();
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new RefusedError(
        "app/unknown",
        `Find the app "${name}": there is none of that name; see "skywire app ls"`,
        { details: { name } },
      );
    }
    return entry;
  };
  return {
    add(app: App): void {
      if (entries.has(app.name)) {
        throw new RefusedError("app/name-taken", `Add the app "${app.name}": there is one`, {
          details: { name: app.name },
        });
      }
      entries.set(app.name, new Entry(app, deps.runtime));
    },
    async remove(name: string): Promise<void> {
      const entry = entryOf(name);
      entries.delete(name);
      await entry.stop();
    },
    async start(name: string): Promise<void> {
      await entryOf(name).start();
    },
    async stop(name: string): Promise<void> {
      await entryOf(name).stop();
    },
    list: () => [...entries.values()].map((entry) => entry.summary()),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([...entries.values()].map((entry) => entry.stop()));
    },
  };
}

/** One app and its supervision. */
class Entry {
  readonly #app: App;
  readonly #runtime: Runtime;
  #state: AppState = "stopped";
  #since: number;
  #restarts = 0;
  #running: { readonly end: AbortController; readonly first: Promise<void>; readonly done: Promise<void> } | undefined;

  constructor(app: App, runtime: Runtime) {
    this.#app = app;
    this.#runtime = runtime;
    this.#since = runtime.clock.wallMs();
  }

  summary(): AppSummary {
    const { name, port } = this.#app;
    return { name, port, state: this.#state, since: this.#since, restarts: this.#restarts };
  }

  /** Resolves with the first run's success, rejects with its failure. */
  start(): Promise<void> {
    if (this.#running === undefined) {
      const end = new AbortController();
      const { promise: first, resolve, reject } = Promise.withResolvers<void>();
      // Nobody may wait for it.
      first.catch(() => {});
      this.#running = { end, first, done: this.#supervise(end.signal, { resolve, reject }) };
    }
    return this.#running.first;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.end.abort();
    await running.done;
    if (this.#running === running) this.#running = undefined;
  }

  async #supervise(
    signal: AbortSignal,
    first: { readonly resolve: () => void; readonly reject: (error: unknown) => void },
  ): Promise<void> {
    const { random, timers, log } = this.#runtime;
    const backoff = new Backoff({ random, firstMs: RESTART_FIRST_MS, maxMs: RESTART_MAX_MS });
    const ready = (): void => {
      if (signal.aborted) return;
      backoff.reset();
      this.#enter("running");
      first.resolve();
    };
    this.#restarts = 0;
    while (!signal.aborted) {
      this.#enter("starting");
      try {
        await this.#app.run({ signal, ready });
        // An app that ends by itself has done its work.
        break;
      } catch (error) {
        if (signal.aborted) break;
        first.reject(error);
        this.#enter("failed");
        log.warn("app-failed", { app: this.#app.name, error: describeError(error) });
      }
      await sleep(timers, backoff.nextMs(), signal).catch(() => {});
      if (!signal.aborted) this.#restarts++;
    }
    if (signal.aborted) {
      first.reject(new ClosedError("app/stopped", `Start the app "${this.#app.name}": it was stopped`));
    } else this.#running = undefined;
    first.resolve();
    this.#enter("stopped");
  }

  #enter(state: AppState): void {
    this.#state = state;
    this.#since = this.#runtime.clock.wallMs();
    this.#runtime.log.debug("app-state", { app: this.#app.name, state });
  }
}
