/** `visor.transports`: the links of this visor, and what the network has. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { transportRoutes } from "./api.ts";
import { type AddTransportOptions, TransportsPart } from "./part.ts";
import type { NetworkTransport, TransportView } from "./view.ts";

/** The transports of a visor, as `visor.transports`. */
export interface VisorTransports {
  /** This visor's transports. */
  list(): TransportView[];
  /**
   * All transports of the network: as their edges told transport discovery, and its own as the visor knows them.
   * @throws {UnavailableError} when the discovery does not answer
   */
  network(): Promise<NetworkTransport[]>;
  /**
   * Opens a transport and keeps it up, over restarts too.
   * @param remote a public key, its first 8 digits or more, or a name
   * @throws {RefusedError} `transport/unknown-kind`, `transport/no-address`
   * @throws {UnavailableError} when the other visor cannot be reached; `storage/write-failed`
   */
  add(remote: string, options: AddTransportOptions): Promise<TransportView>;
  /**
   * Closes a transport and stops keeping it up.
   * @param id may be shortened to 8 digits
   * @returns the whole id
   * @throws {RefusedError} `transport/not-found`; {UnavailableError} `storage/write-failed`
   */
  remove(id: string): Promise<string>;
}

/** The capability. */
export const transports: Capability<TransportsPart, VisorTransports> = {
  makePart: ({ runtime, table, discovery, wanted, keys }) => {
    const part = new TransportsPart({ runtime, table, discovery, wanted });
    keys.add({ known: () => part.knownKeys() });
    return part;
  },
  makeFacet: (part, keys) => ({
    list: () => part.list(),
    network: () => part.network(),
    add: async (remote, options) => await part.add(await keys.complete(remote), options),
    remove: (id) => part.remove(id),
  }),
  makeRoutes: transportRoutes,
};
