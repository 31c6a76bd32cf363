/** `visor.status()`: how the visor does. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { statusRoutes } from "./api.ts";
import { StatusPart } from "./part.ts";
import type { VisorStatus } from "./view.ts";

/** The capability. */
export const status: Capability<StatusPart, () => Promise<VisorStatus>> = {
  makePart: ({ runtime, publicKey, network, messaging, table, router, automatic, http, binding }) =>
    new StatusPart({ runtime, publicKey, network, messaging, table, router, automatic, http, binding }),
  makeFacet: (part) => () => part.report(),
  makeRoutes: statusRoutes,
};
