/** `visor.apps`: the programs that run on the visor. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { appRoutes } from "./api.ts";
import { AppsPart } from "./part.ts";
import type { AppView } from "./view.ts";

/** The apps of a visor, as `visor.apps`. */
export interface VisorApps {
  /** The apps that it runs, stopped ones included. */
  list(): AppView[];
  /**
   * Starts an app; harmless when it has been started. Resolves when it does its work.
   * @throws {RefusedError} `app/unknown`; what made its first run fail
   * @throws {UnavailableError} `storage/write-failed`: it is stopped, as it was
   */
  start(name: string): Promise<void>;
  /**
   * Stops an app, over restarts too, and waits until it has ended.
   * @throws {RefusedError} `app/unknown`
   * @throws {UnavailableError} `storage/write-failed`: it runs on
   */
  stop(name: string): Promise<void>;
}

/** The capability. */
export const apps: Capability<AppsPart, VisorApps> = {
  makePart: ({ runtime }) => new AppsPart({ runtime }),
  makeFacet: (part) => ({
    list: () => part.list(),
    start: (name) => part.start(name),
    stop: (name) => part.stop(name),
  }),
  makeRoutes: appRoutes,
};
