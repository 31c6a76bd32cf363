/** `visor.proxies`: SOCKS5 through the network. Tested in tests/visor/embedding_test.ts. */

import { apps } from "../apps/mod.ts";
import type { Capability } from "../capability.ts";
import { proxyRoutes } from "./api.ts";
import { keptProxies } from "./kept.ts";
import { ProxiesPart } from "./part.ts";
import type { ProxySettings } from "./settings.ts";
import type { ProxyView } from "./view.ts";

/** The proxies of a visor, as `visor.proxies`. */
export interface VisorProxies {
  /** The proxies that were set up, stopped ones included. */
  list(): ProxyView[];
  /**
   * Sets up a proxy, kept over restarts, and starts it; a server replaces the one before.
   * @throws {UnavailableError} `network/listen-failed`, `network/address-in-use` when a client's local address cannot be
   * had, `storage/write-failed`: then all is as it was
   */
  add(settings: ProxySettings): Promise<ProxyView>;
  /**
   * Stops a proxy and forgets it.
   * @throws {RefusedError} `proxy/not-found`
   * @throws {UnavailableError} `storage/write-failed`: it runs on
   */
  remove(id: string): Promise<void>;
}

/** The capability. */
export const proxies: Capability<ProxiesPart, VisorProxies> = {
  makePart: ({ runtime, router, storage, partOf }) =>
    new ProxiesPart({ runtime, router, apps: partOf(apps), kept: keptProxies(storage) }),
  makeFacet: (part) => ({
    list: () => part.list(),
    add: (settings) => part.add(settings),
    remove: (id) => part.remove(id),
  }),
  makeRoutes: proxyRoutes,
};
