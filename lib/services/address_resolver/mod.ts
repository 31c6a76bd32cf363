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

/** An address resolver. */
export interface AddressResolver extends HttpService {
  /**
   * Binds visors over UDP, too, until it is closed, where there is UDP. When the port is taken, the log says so.
   * @param address `host:port` of HTTP: visors look for it there
   */
  bindOverUdp(address: string): Promise<void>;
}

/** What an address resolver is made of. */
export interface AddressResolverDeps extends ServiceSettings {
  /** Time, randomness, the log and figures. */
  readonly runtime:
    & Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">
    & Partial<Pick<Runtime, "network">>;
  /** Keeps addresses and nonces; of this service alone. Its opener closes it. Absent: kept in memory. */
  readonly database?: SqlDatabase | undefined;
  /** Visors may be bound to loopback and private addresses: for networks on one machine or site. Default false. */
  readonly allowLoopback?: boolean;
  /** Keys of network monitors, which may strike out visors. */
  readonly monitors?: readonly PublicKey[];
}

/**
 * Makes an address resolver.
 *
 * ```ts
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createAddressResolver } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const resolver = await createAddressResolver({ runtime });
 * const answer = await resolver.fetch(new Request("http://localhost/transports"));
 * console.assert(await answer.text() === "{}");
 * await resolver.close();
 * ```
 *
 * @throws {UnavailableError} `storage/…` when the database cannot be used
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
