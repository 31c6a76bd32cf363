/**
 * The messaging discovery: a directory of signed entries that says through which servers a client is reached, and where
 * servers listen (dmsg.md §6). Speaks the API of v1.3. Tested in tests/services/messaging_discovery/vectors_test.ts.
 *
 * @module
 */

import type { Runtime } from "../../runtime/mod.ts";
import type { SqlDatabase } from "../../storage/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { createServiceApp, type HttpService, type ServiceSettings } from "../http/mod.ts";
import { ERROR_FORMAT } from "./api.ts";
import { errorSchema } from "./docs.ts";
import { discoveryRoutes } from "./http.ts";
import { createDiscoveryLogic } from "./logic.ts";
import { createMemoryEntryStore } from "./store_memory.ts";
import { createSqlEntryStore } from "./store_sql.ts";

export { createMessagingDiscoveryClient } from "./client.ts";
export type { MessagingDiscoveryClient, MessagingDiscoveryClientDeps } from "./client.ts";

/** What a messaging discovery needs. */
export interface MessagingDiscoveryDeps extends ServiceSettings {
  /** Time, randomness, the log and figures. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">;
  /** Keeps the entries, and nothing of other services. The caller closes it. Absent: kept in memory. */
  readonly database?: SqlDatabase | undefined;
  /** May servers advertise loopback addresses? For networks on one machine. Default false. */
  readonly allowLoopback?: boolean;
  /** The server type that makes a server official. Default empty, as in v1.3. */
  readonly passphrase?: string;
  /** Servers that are official with any server type. Default: none. */
  readonly officialServers?: readonly PublicKey[];
  /** Keys of network monitors, which may remove entries. Default: none. */
  readonly monitors?: readonly PublicKey[];
}

/**
 * Starts a messaging discovery (dmsg.md §6).
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createMessagingDiscovery } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const discovery = await createMessagingDiscovery({ runtime });
 * const answer = await discovery.fetch(new Request("http://localhost/dmsg-discovery/entries"));
 * assert(await answer.text() === "[]");
 * await discovery.close();
 * ```
 *
 * @returns the service; serve its `fetch`, and close it
 * @throws {UnavailableError} `storage/…`, as {@link SqlDatabase}, when the database cannot be used
 */
export async function createMessagingDiscovery(deps: MessagingDiscoveryDeps): Promise<HttpService> {
  const { runtime, database, monitors = [], officialServers = [] } = deps;
  const store = database === undefined ? createMemoryEntryStore() : await createSqlEntryStore(database);
  const logic = createDiscoveryLogic({
    store,
    clock: runtime.clock,
    random: runtime.random,
    allowLoopback: deps.allowLoopback ?? false,
    passphrase: deps.passphrase ?? "",
    officialServers: new Set(officialServers),
  });
  const fetch = createServiceApp({
    name: "messaging-discovery",
    title: "Messaging discovery",
    runtime,
    errors: ERROR_FORMAT,
    errorBody: errorSchema,
    routes: discoveryRoutes({ logic, timers: runtime.timers, monitors }),
    settings: deps,
  });
  return { fetch, close: () => Promise.resolve() };
}
