/** Keeps where visors are in memory. Tested in tests/services/address_resolver/store_test.ts. */

import type { PublicKey } from "../../types/mod.ts";
import type { VisorAddresses } from "./api.ts";
import type { AddressStore } from "./store.ts";

/** Makes an empty store. */
export function createMemoryAddressStore(): AddressStore {
  const visors = new Map<PublicKey, { readonly addresses: VisorAddresses; readonly expiresMs: number }>();
  return {
    put: (key, visor) => {
      visors.set(key, visor);
      return Promise.resolve();
    },
    get: (key, nowMs) => {
      const visor = visors.get(key);
      return Promise.resolve(visor === undefined || visor.expiresMs <= nowMs ? undefined : visor.addresses);
    },
    keys: (nowMs) =>
      Promise.resolve([...visors].filter(([, { expiresMs }]) => expiresMs > nowMs).map(([key]) => key).sort()),
    remove: (key) => {
      visors.delete(key);
      return Promise.resolve();
    },
    prune: (nowMs) => {
      for (const [key, { expiresMs }] of visors) if (expiresMs <= nowMs) visors.delete(key);
      return Promise.resolve();
    },
  };
}
