/** `visor.events()`: what happens. Tested in tests/visor/events/part_test.ts. */

import type { Capability } from "../capability.ts";
import { proxies } from "../proxies/mod.ts";
import { status } from "../status/mod.ts";
import { eventRoutes } from "./api.ts";
import { EventsPart } from "./part.ts";
import type { VisorEvent } from "./view.ts";

/** The capability. */
export const events: Capability<
  EventsPart,
  (options?: { readonly signal?: AbortSignal }) => AsyncIterable<VisorEvent>
> = {
  makePart: ({ runtime, table, router, partOf }) => {
    const report = partOf(status);
    return new EventsPart({
      runtime,
      table,
      router,
      proxies: partOf(proxies),
      status: () => report.report(),
    });
  },
  makeFacet: (part) => ({ signal } = {}) => part.watch(signal),
  makeRoutes: eventRoutes,
};
