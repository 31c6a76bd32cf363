/**
 * The address resolver: where visors with a public address accept TCP transports, so that others find them by their key
 * (transports.md §7), and which address those behind NATs have, for sudph. Speaks the HTTP API and the UDP side of v1.3.
 * Tested in tests/services/address_resolver/vectors_test.ts.
 *
 * @module
 */

import { describeError } from "../../errors/mod.ts";
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
import { addressRoutes } from "./http.ts";
import { createAddressLogic } from "./logic.ts";
import { createMemoryAddressStore } from "./store_memory.ts";
import { createSqlAddressStore } from "./store_sql.ts";
import { SudphBindings } from "./sudph.ts";

export { createAddressResolverClient } from "./client.ts";
export type { AddressResolverClient, AddressResolverClientDeps } from "./client.ts";
export { isPrivateIPv4, isPublicIPv4 } from "./public_ip.ts";

/** A running address resolver. */
export interface AddressResolver extends HttpService {
  /**
   * Binds visors over UDP, too, until the resolver is closed. Without UDP in the runtime it does nothing; when the port is
   * taken, it logs that.
   * @param address `host:port` where HTTP is served: visors expect UDP at the same address
   */
  bindOverUdp(address: string): Promise<void>;
}

/** What an address resolver needs. */
export interface AddressResolverDeps extends ServiceSettings {
  /** Time, randomness, the log and figures. */
  readonly runtime:
    & Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">
    & Partial<Pick<Runtime, "network">>;
  /** Keeps addresses and nonces, and nothing of other services. The caller closes it. Absent: kept in memory. */
  readonly database?: SqlDatabase | undefined;
  /** May visors register loopback and private addresses? For networks on one machine or site. Default false. */
  readonly allowLoopback?: boolean;
  /** Keys of network monitors, which may remove visors. Default: none. */
  readonly monitors?: readonly PublicKey[];
}

/**
 * Starts an address resolver (transports.md §7).
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createAddressResolver } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const resolver = await createAddressResolver({ runtime });
 * const answer = await resolver.fetch(new Request("http://localhost/transports"));
 * assert(await answer.text() === "{}");
 * await resolver.close();
 * ```
 *
 * @returns the service; serve its `fetch`, and close it
 * @throws {UnavailableError} `storage/…`, as {@link SqlDatabase}, when the database cannot be used
 */
export async function createAddressResolver(deps: AddressResolverDeps): Promise<AddressResolver> {
  const { runtime, database, allowLoopback = false, monitors = [] } = deps;
  const { clock, timers } = runtime;
  const store = database === undefined ? createMemoryAddressStore() : await createSqlAddressStore(database);
  const nonces = database === undefined ? createMemoryNonceStore() : createSqlNonceStore(database);
  const logic = createAddressLogic({ store, clock, allowLoopback });
  const auth = createHttpAuth({ nonces, timers, maxBodyBytes: MAX_BODY_BYTES });
  let sudph: SudphBindings | undefined;
  const fetch = createServiceApp({
    name: "address-resolver",
    title: "Address resolver",
    runtime,
    errors: ERROR_FORMAT,
    errorBody: errorSchema,
    routes: addressRoutes({ logic, sudph: () => sudph, auth, timers, monitors }),
    settings: deps,
  });
  return {
    fetch,
    bindOverUdp: async (address) => {
      try {
        const socket = await runtime.network?.bindDatagrams?.(address);
        if (socket !== undefined) sudph = new SudphBindings({ runtime, socket });
      } catch (error) {
        runtime.log.warn("no-sudph", { address, error: describeError(error) });
      }
    },
    close: async () => await sudph?.[Symbol.asyncDispose](),
  };
}
