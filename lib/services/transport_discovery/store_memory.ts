/** Keeps transports in memory. Tested in tests/services/transport_discovery/store_test.ts. */

import type { TransportId } from "../../types/mod.ts";
import type { TransportEntry } from "../../wire/transport_entry.ts";
import type { TransportStore } from "./store.ts";

/** Makes an empty store. */
export function createMemoryTransportStore(): TransportStore {
  const transports = new Map<TransportId, TransportEntry>();
  const reported = new Set<TransportId>();
  return {
    add: (entries) => {
      const changed = entries.filter(({ id, label }) => transports.get(id)?.label !== label);
      for (const entry of changed) transports.set(entry.id, entry);
      return Promise.resolve(changed);
    },
    byId: (id) => Promise.resolve(transports.get(id)),
    byEdge: (key) => Promise.resolve([...transports.values()].filter(({ edges }) => edges.includes(key))),
    all: () => Promise.resolve([...transports.values()]),
    remove: (id) => {
      reported.delete(id);
      return Promise.resolve(transports.delete(id));
    },
    markReported: (ids) => {
      for (const id of ids) if (transports.has(id)) reported.add(id);
      return Promise.resolve();
    },
    reported: () => Promise.resolve([...reported]),
  };
}
