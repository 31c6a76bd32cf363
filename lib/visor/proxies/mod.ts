/** `visor.proxies`: SOCKS5 through the network. Tested in tests/visor/embedding_test.ts. */

import { apps } from "../apps/mod.ts";
import type { Capability } from "../capability.ts";
import { proxyRoutes } from "./api.ts";
import { keptProxies } from "./kept.ts";
import { ProxiesPart } from "./part.ts";
import { type ProxyRequest, withWholeKeys } from "./settings.ts";
import type { ProxyView } from "./view.ts";

/** The proxies of a visor, as `visor.proxies`. */
export interface VisorProxies {
  /** Lists the proxies that were set up, stopped ones included. */
  list(): ProxyView[];
  /**
   * Sets up a proxy, starts it, and keeps it over restarts. A server replaces the server before it.
   * @param request of a server or of a client; its visors are public keys, their first 8 digits or more, or names
   * @throws {RefusedError} `visor/unknown-name`, `visor/unknown-key`, `visor/ambiguous-key`
   * @throws {UnavailableError} `network/address-in-use` or `network/listen-failed` when a client cannot listen;
   * `storage/write-failed`. Nothing has changed then.
   */
  add(request: ProxyRequest): Promise<ProxyView>;
  /**
   * Stops a proxy and removes it.
   * @param id as `list` shows it
   * @throws {RefusedError} `proxy/not-found` when there is no such proxy
   * @throws {UnavailableError} `storage/write-failed`; the proxy runs on then
   */
  remove(id: string): Promise<void>;
}

/** The capability. */
export const proxies: Capability<ProxiesPart, VisorProxies> = {
  makePart: ({ runtime, router, storage, partOf }) =>
    new ProxiesPart({ runtime, router, apps: partOf(apps), kept: keptProxies(storage) }),
  makeFacet: (part, keys) => ({
    list: () => part.list(),
    add: async (request) => await part.add(await withWholeKeys(request, keys)),
    remove: (id) => part.remove(id),
  }),
  makeRoutes: proxyRoutes,
};
