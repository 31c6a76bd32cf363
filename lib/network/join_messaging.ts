/** Joins a messaging network by the URL of its discovery, which may name no host but a key. */

import {
  createDirectDirectory,
  createMessagingClient,
  createMessagingFetch,
  type KnownServer,
  type MessagingClient,
  overlayAddressOf,
} from "../messaging/mod.ts";
import { RefusedError } from "../errors/mod.ts";
import type { Http, Runtime } from "../runtime/mod.ts";
import type { SecretKey } from "../types/mod.ts";
import { createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";

/** What {@link joinMessaging} needs. */
export interface JoinMessagingDeps {
  /** The world. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "network" | "http" | "log">;
  /** Not disposed. */
  readonly secret: SecretKey;
  /** Of the discovery: `http://host:port`, `https://…`, or `dmsg://<key>:80`. */
  readonly url: string;
  /** Servers that are known; needed for a URL with a key, which is reached through them. */
  readonly servers?: readonly KnownServer[] | undefined;
  /** As of the messaging client. */
  readonly clientType?: string;
  /** As of the messaging client. */
  readonly minSessions?: number;
}

/** A messaging client and what comes with it. */
export interface JoinedMessaging {
  /** To be disposed. */
  readonly messaging: MessagingClient;
  /** HTTP that understands URLs with keys, for the clients of all services. */
  readonly http: Http;
}

/**
 * Starts a messaging client.
 * @throws {RefusedError} `messaging/no-servers` for a discovery with a key and no server that leads there
 */
export function joinMessaging(deps: JoinMessagingDeps): JoinedMessaging {
  const { runtime, secret, url, servers = [], clientType, minSessions } = deps;
  const direct = overlayAddressOf(new URL(url));
  if (direct !== undefined && servers.length === 0) {
    throw new RefusedError(
      "messaging/no-servers",
      `Reach the messaging discovery at ${url}: name a messaging server at least that leads there`,
    );
  }
  // The client asks the discovery by a fetch that may go through the client: neither can be made before the other.
  const dial: MessagingClient["dial"] = (...target) => messaging.dial(...target);
  const http: Http = {
    fetch: createMessagingFetch({ messaging: { dial }, timers: runtime.timers, http: runtime.http }),
    serve: (address, handler) => runtime.http.serve(address, handler),
    openSocket: (url, options) => runtime.http.openSocket(url, options),
  };
  const discovery = createMessagingDiscoveryClient({ http, timers: runtime.timers, url });
  const messaging: MessagingClient = createMessagingClient({
    runtime,
    secret,
    discovery: direct === undefined
      ? discovery
      : createDirectDirectory({ servers, discoveryKey: direct.publicKey, discovery }),
    ...(clientType === undefined ? {} : { clientType }),
    ...(minSessions === undefined ? {} : { minSessions }),
  });
  return { messaging, http };
}
