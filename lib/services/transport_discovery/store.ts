/** What the transport discovery remembers: the transports of all visors. */

import type { PublicKey, TransportId } from "../../types/mod.ts";
import type { TransportEntry } from "../../wire/transport_entry.ts";

/**
 * Keeps transports, in the order in which they came first.
 * Every method throws {UnavailableError} `storage/…` when the engine fails.
 */
export interface TransportStore {
  /**
   * Stores all of the transports or none. One that is there already gets the new label.
   * @returns those that were new or got another label
   */
  add(entries: readonly TransportEntry[]): Promise<readonly TransportEntry[]>;
  /** One transport, or undefined. */
  byId(id: TransportId): Promise<TransportEntry | undefined>;
  /** The transports of a visor. */
  byEdge(key: PublicKey): Promise<readonly TransportEntry[]>;
  /** All of them. */
  all(): Promise<readonly TransportEntry[]>;
  /** @returns whether it was there */
  remove(id: TransportId): Promise<boolean>;
  /** Notes that edges report the status of transports. Lasts until the transport is removed; unknown ids are ignored. */
  markReported(ids: readonly TransportId[]): Promise<void>;
  /** The transports whose status an edge has ever reported. */
  reported(): Promise<readonly TransportId[]>;
}
