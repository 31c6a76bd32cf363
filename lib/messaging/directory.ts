/**
 * What messaging needs of the messaging discovery. The client of `services/messaging_discovery` provides it. So does a
 * list in memory, for a visor that reaches the discovery over messaging itself (dmsg.md §7.3).
 */

import type { PublicKey } from "../types/mod.ts";
import type { Entry } from "../wire/messaging_entry.ts";

/** Entries by key (dmsg.md §6). Every method throws {UnavailableError} when the discovery cannot be asked. */
export interface MessagingDirectory {
  /** Asks for the entry of a key; undefined when there is none. */
  entry(key: PublicKey): Promise<Entry | undefined>;
  /**
   * Asks whether there is an entry of the key. A client asks for its own every other second. Absent where that costs too
   * much.
   */
  isStored?(key: PublicKey): Promise<boolean>;
  /**
   * Stores a signed entry.
   * @param entry newer than the stored one
   * @param options `removedByNewer`: only a newer entry may remove this one, so nobody else can remove it
   * @throws {RefusedError} `discovery/wrong-sequence` or `discovery/old-timestamp` when a newer one is stored
   */
  publish(entry: Entry, options?: { readonly removedByNewer?: boolean }): Promise<void>;
  /**
   * Removes the entry of a key.
   * @param entry a newer signed entry of the key
   */
  remove(entry: Entry): Promise<void>;
  /** Lists servers that take more sessions; the list may be empty. */
  availableServers(): Promise<readonly Entry[]>;
}
