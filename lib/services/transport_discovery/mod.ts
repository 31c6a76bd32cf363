/**
 * The transport discovery: the map of a network, on which both edges of a transport register it (transports.md §6).
 * Speaks the API of v1.3, keeps what the edges report of their transports, and tells followers what changes.
 * Tested in tests/services/transport_discovery/status_test.ts.
 *
 * @module
 */

import { UnavailableError } from "../../errors/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { SqlDatabase } from "../../storage/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import {
  createHttpAuth,
  createMemoryNonceStore,
  createServiceApp,
  createSqlNonceStore,
  type HttpService,
  type ServiceSettings,
} from "../http/mod.ts";
import { ERROR_FORMAT, MAX_BODY_BYTES } from "./api.ts";
import { errorSchema } from "./docs.ts";
import { createLocalFeed, type TransportFeed } from "./feed.ts";
import { feedRoute, positionRoute } from "./feed_http.ts";
import { transportRoutes } from "./http.ts";
import { createTransportLogic } from "./logic.ts";
import { createMemoryTransportStore } from "./store_memory.ts";
import { createSqlTransportStore } from "./store_sql.ts";

export { createTransportDiscoveryClient } from "./client.ts";
export type { TransportDiscoveryClient, TransportDiscoveryClientDeps } from "./client.ts";
export { createTransportFeedClient } from "./feed_http.ts";
export { type FeedEvent, hasReached, type TransportChange, type TransportFeed } from "./feed.ts";
export type { MapTransport, TransportState } from "../../wire/map_transport.ts";
export type { EdgeStatus, TransportFigures } from "../../wire/transport_status.ts";

/** What a transport discovery needs. */
export interface TransportDiscoveryDeps extends ServiceSettings {
  /** Time, randomness, the log and figures. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">;
  /** Keeps transports and nonces, and nothing of other services. The caller closes it. Absent: kept in memory. */
  readonly database?: SqlDatabase | undefined;
  /** Keys of network monitors, which may remove transports. Default: none. */
  readonly monitors?: readonly PublicKey[];
  /** How long a transport stays listed after the last report of its edges, ms; default 3 minutes. */
  readonly expireMs?: number;
}

/** A running transport discovery. Close it before its server: it ends the streams of followers, for which a server waits. */
export interface TransportDiscovery extends HttpService {
  /** The feed for followers in this process. Others use {@link createTransportFeedClient}. */
  readonly feed: TransportFeed;
}

/**
 * Starts a transport discovery (transports.md §6).
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createTransportDiscovery } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const discovery = await createTransportDiscovery({ runtime });
 * const answer = await discovery.fetch(new Request("http://localhost/all-transports"));
 * assert(await answer.text() === "null\n");
 * await discovery.close();
 * ```
 *
 * @returns the service; serve its `fetch`, and close it
 * @throws {UnavailableError} `storage/…`, as {@link SqlDatabase}, when the database cannot be used
 */
export async function createTransportDiscovery(deps: TransportDiscoveryDeps): Promise<TransportDiscovery> {
  const { runtime, database, monitors = [], expireMs } = deps;
  const { timers, random, log } = runtime;
  const store = database === undefined ? createMemoryTransportStore() : await createSqlTransportStore(database);
  const nonces = database === undefined ? createMemoryNonceStore() : createSqlNonceStore(database);
  const closing = new AbortController();
  const feed = createLocalFeed({ all: () => logic.followed(), random });
  const logic = await createTransportLogic({ runtime, store, feed, expireMs });
  const auth = createHttpAuth({ nonces, timers, maxBodyBytes: MAX_BODY_BYTES });
  const fetch = createServiceApp({
    name: "transport-discovery",
    title: "Transport discovery",
    runtime,
    errors: ERROR_FORMAT,
    errorBody: errorSchema,
    routes: [
      ...transportRoutes({ logic, auth, timers, monitors }),
      feedRoute({ feed, timers, log, closing: closing.signal }),
      positionRoute({ feed }),
    ],
    settings: deps,
  });
  return {
    fetch,
    feed,
    close: () => {
      logic.close();
      closing.abort(new UnavailableError("transport-discovery/closed", "The transport discovery was closed"));
      return Promise.resolve();
    },
  };
}
