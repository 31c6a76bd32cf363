/** What the address resolver remembers: where each visor said that it listens. */

import type { PublicKey } from "../../types/mod.ts";
import type { VisorAddresses } from "./api.ts";

/**
 * Keeps where visors are. `nowMs` is Unix time: what has expired by then is as if it were not there.
 * Every method throws {UnavailableError} `storage/…` when the engine fails.
 */
export interface AddressStore {
  /** Stores where a visor is until a moment, Unix ms, in the place of what was stored before. */
  put(key: PublicKey, visor: { readonly addresses: VisorAddresses; readonly expiresMs: number }): Promise<void>;
  /** Where a visor is; undefined when that is not known. */
  get(key: PublicKey, nowMs: number): Promise<VisorAddresses | undefined>;
  /** All visors, in the order of their keys. */
  keys(nowMs: number): Promise<readonly PublicKey[]>;
  /** Forgets a visor. Harmless when it is unknown. */
  remove(key: PublicKey): Promise<void>;
  /** Takes out what has expired. */
  prune(nowMs: number): Promise<void>;
}
