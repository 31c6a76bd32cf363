/**
 * The rules of the address resolver: who may be bound where, and for how long. Tested in
 * tests/services/address_resolver/resolver_test.ts.
 */

import { RefusedError } from "../../errors/mod.ts";
import type { Clock } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import type { LocalAddresses, VisorAddresses } from "./api.ts";
import { isPublicIPv4 } from "./public_ip.ts";
import type { AddressStore } from "./store.ts";

/** Visors bind again every 5 minutes; one that has not for three times is gone (transports.md §10, W16). */
const LIFETIME_MS = 16 * 60_000;

/** See the top of the file. */
export interface AddressLogic {
  /**
   * Notes where a visor is.
   * @param key proven by the signature of the request
   * @param request the address that it came from, and what it says
   * @throws {RefusedError} `address-resolver/not-bindable`, with the text of v1.3
   */
  bind(key: PublicKey, request: { readonly ip: string; readonly local: LocalAddresses }): Promise<void>;
  /** Forgets where a visor is. Harmless when it is not known. */
  unbind(key: PublicKey): Promise<void>;
  /** Where a visor is; undefined when that is not known. */
  resolve(key: PublicKey): Promise<VisorAddresses | undefined>;
  /** All visors that are bound. */
  listed(): Promise<readonly PublicKey[]>;
}

/** What the rules need. */
export interface AddressLogicDeps {
  readonly store: AddressStore;
  readonly clock: Pick<Clock, "wallMs">;
  /** May a visor be bound to any address, and not to public ones only? */
  readonly allowLoopback: boolean;
}

/** Makes the rules. */
export function createAddressLogic({ store, clock, allowLoopback }: AddressLogicDeps): AddressLogic {
  const refuseReason = ({ ip, local }: { ip: string; local: LocalAddresses }): string | undefined => {
    if (!allowLoopback && !isPublicIPv4(ip)) return "Invalid IP address in request";
    if (local.addresses?.includes(ip) !== true) return "Remote address not present in request";
    const port = /^\d{1,5}$/.test(local.port) ? Number(local.port) : 0;
    // v1.3 keeps any text, and the dial fails later.
    return port < 1 || port > 65_535 ? "Invalid port in request" : undefined;
  };
  return {
    bind: async (key, request) => {
      const { ip, local } = request;
      const reason = refuseReason(request);
      if (reason !== undefined) {
        throw new RefusedError(
          "address-resolver/not-bindable",
          `Cannot bind ${key} to ${ip} (STCPR). ${reason}: {${local.port} [${(local.addresses ?? []).join(" ")}]}`,
        );
      }
      const nowMs = clock.wallMs();
      await store.prune(nowMs);
      const addresses = { remoteAddress: ip, isLocal: false, ...local };
      await store.put(key, { addresses, expiresMs: nowMs + LIFETIME_MS });
    },
    unbind: (key) => store.remove(key),
    resolve: (key) => store.get(key, clock.wallMs()),
    listed: () => store.keys(clock.wallMs()),
  };
}
