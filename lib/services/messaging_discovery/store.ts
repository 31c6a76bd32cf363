/** What the discovery remembers: for every key its newest entry, or that it was removed. */

import type { PublicKey } from "../../types/mod.ts";

/** Which entry of a key is stored. */
export interface EntryVersion {
  readonly sequence: bigint;
  /** Unix time, ns. */
  readonly timestamp: bigint;
}

/** The version, and what decides on its removal. */
export interface EntryState extends EntryVersion {
  readonly isRemoved: boolean;
  /** The host that may remove it by showing it again; absent: none. */
  readonly removableBy?: string;
}

/** What is stored of a key. */
export interface StoredEntry extends EntryVersion {
  readonly key: PublicKey;
  /** The entry as it is served; empty: it was removed, and only its version is remembered. */
  readonly text: string;
  readonly isServer: boolean;
  readonly isClient: boolean;
  readonly isVisor: boolean;
  /** Of a server; 0 for others. */
  readonly availableSessions: number;
  /** As in {@link EntryState}. */
  readonly removableBy?: string;
  /** Unix time, ms, from which it does not exist any more; absent: it stays. */
  readonly expiresMs?: number;
}

/**
 * Keeps entries. `nowMs` is Unix time: what has expired by then is as if it were not there.
 * Every method throws {UnavailableError} `storage/…` when the engine fails.
 */
export interface EntryStore {
  /** The entry of a key as it is served; undefined when there is none. The path that is hot. */
  text(key: PublicKey, nowMs: number): Promise<string | undefined>;
  /** The version of what is stored of a key, whether it was removed, and who may remove it. */
  version(key: PublicKey, nowMs: number): Promise<EntryState | undefined>;
  /**
   * Stores an entry in the place of a certain other one.
   * @param entry what to store
   * @param options `replaces`: the version that must be stored now; undefined: nothing may be
   * @returns false when something else is stored, and nothing was changed
   */
  replace(
    entry: StoredEntry,
    options: { readonly replaces: EntryVersion | undefined; readonly nowMs: number },
  ): Promise<boolean>;
  /** Forgets a key altogether. Harmless when it is unknown. */
  forget(key: PublicKey): Promise<void>;
  /** The keys that have an entry with a client part, in order. */
  clients(nowMs: number): Promise<readonly PublicKey[]>;
  /** Those of them that say that they are visors. */
  visors(nowMs: number): Promise<readonly PublicKey[]>;
  /** The entries of servers, as they are served, those with most free sessions first. */
  servers(options: { readonly nowMs: number; readonly onlyAvailable: boolean }): Promise<readonly string[]>;
  /** Takes out what has expired. */
  prune(nowMs: number): Promise<void>;
}
