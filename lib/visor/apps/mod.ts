/** `visor.apps`: the programs that run on the visor. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { appRoutes } from "./api.ts";
import { AppsPart } from "./part.ts";
import type { AppView } from "./view.ts";

/** The apps of a visor, as `visor.apps`. */
export interface VisorApps {
  /** Lists the apps, stopped ones included. */
  list(): AppView[];
  /**
   * Starts an app. Resolves once the app works. Harmless when it runs already.
   * @param name as `list` shows it
   * @throws {RefusedError} `app/unknown` when there is no such app
   * @throws {UnavailableError} `storage/write-failed`; the app stays stopped then
   * @throws the error that ended its first run
   */
  start(name: string): Promise<void>;
  /**
   * Stops an app and waits until it has ended. It stays stopped over restarts of the visor.
   * @param name as `list` shows it
   * @throws {RefusedError} `app/unknown` when there is no such app
   * @throws {UnavailableError} `storage/write-failed`; the app runs on then
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
