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
   * Stores a signed entry.
   * @throws {RefusedError} `discovery/wrong-sequence` or `discovery/old-timestamp` when a newer one is stored
   */
  publish(entry: Entry): Promise<void>;
  /** Removes the entry of `entry.static`, who has signed this one. */
  remove(entry: Entry): Promise<void>;
  /** Servers that still take sessions; none is no error. */
  availableServers(): Promise<readonly Entry[]>;
}
