/**
 * What messaging needs of the messaging discovery. The client of `services/messaging_discovery` is one; so is a list in
 * memory, for a visor that reaches the discovery over messaging itself (dmsg.md §7.3).
 */

import type { PublicKey } from "../types/mod.ts";
import type { Entry } from "../wire/messaging_entry.ts";

/** Entries by key. All methods throw {UnavailableError} when they cannot ask. */
export interface MessagingDirectory {
  /** The entry of a key, or undefined when there is none. */
  entry(key: PublicKey): Promise<Entry | undefined>;
  /**
   * Is there an entry of the key? A client asks every other second for its own; absent where that costs too much.
   */
  isStored?(key: PublicKey): Promise<boolean>;
  /**
   * Stores a signed entry.
   * @param options `removedByNewer`: the owner will remove it by a newer one, so that nobody else can by showing it again
   * @throws {RefusedError} `discovery/wrong-sequence` or `discovery/old-timestamp` when a newer one is stored
   */
  publish(entry: Entry, options?: { readonly removedByNewer?: boolean }): Promise<void>;
  /** Removes the entry of `entry.static` by this one, which is newer. */
  remove(entry: Entry): Promise<void>;
  /** Servers that still take sessions; none is no error. */
  availableServers(): Promise<readonly Entry[]>;
}
