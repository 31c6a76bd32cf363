/** The apps of a visor. Other capabilities, such as proxies, add theirs, and keep what must be there after a restart. */

import { type App, createLauncher, type Launcher } from "../../apps/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { AppView } from "./view.ts";

/** Keeps over restarts whether an app is stopped. Rejects when that cannot be kept. */
export type KeepStopped = (stopped: boolean) => Promise<void>;

/** See the top of the file. Disposing stops all. */
export class AppsPart implements AsyncDisposable {
  readonly #launcher: Launcher;
  readonly #keepers = new Map<string, KeepStopped>();

  constructor(deps: { readonly runtime: Runtime }) {
    this.#launcher = createLauncher(deps);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#launcher[Symbol.asyncDispose]();
  }

  list(): AppView[] {
    return this.#launcher.list().map((app) => ({ ...app, since: new Date(app.since).toISOString() }));
  }

  /** What an app does now; `stopped` for one that is not there. */
  stateOf(name: string): AppView["state"] {
    return this.#launcher.list().find((app) => app.name === name)?.state ?? "stopped";
  }

  /**
   * Makes an app known, stopped.
   * @param keepStopped called when the user starts or stops it
   * @throws {RefusedError} `app/name-taken`
   */
  add(app: App, keepStopped: KeepStopped): void {
    this.#launcher.add(app);
    this.#keepers.set(app.name, keepStopped);
  }

  /** Stops an app and forgets it. @throws {RefusedError} `app/unknown` */
  async remove(name: string): Promise<void> {
    this.#keepers.delete(name);
    await this.#launcher.remove(name);
  }

  /** Starts an app without keeping that. @throws as `Launcher.start` */
  async run(name: string): Promise<void> {
    await this.#launcher.start(name);
  }

  /** Starts an app, as the user wants it from now on. @throws as `Launcher.start`; what keeping it throws */
  async start(name: string): Promise<void> {
    const wasStopped = this.stateOf(name) === "stopped";
    await this.#launcher.start(name);
    try {
      await this.#keepers.get(name)?.(false);
    } catch (error) {
      if (wasStopped) await this.#launcher.stop(name);
      throw error;
    }
  }

  /** Stops an app, over restarts too. @throws {RefusedError} `app/unknown`; what keeping it throws: it runs on then */
  async stop(name: string): Promise<void> {
    await this.#keepers.get(name)?.(true);
    await this.#launcher.stop(name);
  }
}
