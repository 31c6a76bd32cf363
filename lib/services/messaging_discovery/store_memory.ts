/** Keeps entries in memory. Tested in tests/services/messaging_discovery/store_test.ts. */

import type { PublicKey } from "../../types/mod.ts";
import type { EntryStore, StoredEntry } from "./store.ts";

/** Makes an empty store. */
export function createMemoryEntryStore(): EntryStore {
  const entries = new Map<PublicKey, StoredEntry>();

  const live = (key: PublicKey, nowMs: number): StoredEntry | undefined => {
    const entry = entries.get(key);
    return entry !== undefined && isLive(entry, nowMs) ? entry : undefined;
  };
  const select = (nowMs: number, condition: (entry: StoredEntry) => boolean): StoredEntry[] =>
    [...entries.values()].filter((entry) => entry.text !== "" && isLive(entry, nowMs) && condition(entry));
  const keysOf = (found: readonly StoredEntry[]): PublicKey[] => found.map(({ key }) => key).sort();

  return {
    text: (key, nowMs) => Promise.resolve(live(key, nowMs)?.text || undefined),
    version: (key, nowMs) => {
      const entry = live(key, nowMs);
      if (entry === undefined) return Promise.resolve(undefined);
      const { sequence, timestamp, text, removableBy } = entry;
      const by = removableBy === undefined ? {} : { removableBy };
      return Promise.resolve({ sequence, timestamp, isRemoved: text === "", ...by });
    },
    replace: (entry, { replaces, nowMs }) => {
      const stored = live(entry.key, nowMs);
      const fits = stored === undefined ||
        (stored.sequence === replaces?.sequence && stored.timestamp === replaces.timestamp);
      if (fits) entries.set(entry.key, entry);
      return Promise.resolve(fits);
    },
    forget: (key) => {
      entries.delete(key);
      return Promise.resolve();
    },
    clients: (nowMs) => Promise.resolve(keysOf(select(nowMs, ({ isClient }) => isClient))),
    visors: (nowMs) => Promise.resolve(keysOf(select(nowMs, ({ isVisor }) => isVisor))),
    servers: ({ nowMs, onlyAvailable }) => {
      const found = select(
        nowMs,
        ({ isServer, availableSessions }) => isServer && (!onlyAvailable || availableSessions > 0),
      );
      found.sort((a, b) => b.availableSessions - a.availableSessions || (a.key < b.key ? -1 : 1));
      return Promise.resolve(found.map(({ text }) => text));
    },
    prune: (nowMs) => {
      for (const [key, entry] of entries) if (!isLive(entry, nowMs)) entries.delete(key);
      return Promise.resolve();
    },
  };
}

function isLive(entry: StoredEntry, nowMs: number): boolean {
  return entry.expiresMs === undefined || entry.expiresMs > nowMs;
}
