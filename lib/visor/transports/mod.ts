/** `visor.transports`: the transports of this visor and of the network. Tested in tests/visor/embedding_test.ts. */

import type { Capability } from "../capability.ts";
import { transportRoutes } from "./api.ts";
import { type AddTransportOptions, TransportsPart } from "./part.ts";
import { RememberedTransports } from "./remembered.ts";
import type { NetworkTransport, TransportView } from "./view.ts";

/** The transports of a visor, as `visor.transports`. */
export interface VisorTransports {
  /** Lists the transports of this visor, those that are down included. */
  list(): TransportView[];
  /**
   * Lists all transports of the network, as transport discovery lists them. Of its own transports, the visor knows the state
   * better and gives that.
   * @throws {UnavailableError} `http/unreachable`, `http/timeout` or `transport-discovery/failed` when the discovery does
   * not answer
   */
  network(): Promise<NetworkTransport[]>;
  /**
   * Opens a transport to a visor and keeps it up, over restarts, too. Takes 15 s at most.
   * @param remote a public key, its first 8 digits or more, or a name
   * @param options the kind, and the address where the kind needs one
   * @throws {RefusedError} `transport/unknown-kind`; `transport/no-address` when the kind needs one; `transport/self` when
   * `remote` is this visor; `visor/unknown-key`, `visor/unknown-name` or `visor/ambiguous-key`
   * @throws {UnavailableError} when the other visor cannot be reached; `storage/write-failed`
   * @throws the reason of `options.signal`
   */
  add(remote: string, options: AddTransportOptions): Promise<TransportView>;
  /**
   * Closes a transport and stops keeping it up.
   * @param id the id, or its first 8 digits or more
   * @returns the whole id
   * @throws {RefusedError} `transport/not-found` when there is no such transport, or several
   * @throws {UnavailableError} `storage/write-failed`
   */
  remove(id: string): Promise<string>;
}

/** The capability. */
export const transports: Capability<TransportsPart, VisorTransports> = {
  makePart: ({ runtime, storage, table, discovery, wanted, keys }) => {
    const remembered = new RememberedTransports({ runtime, storage, table });
    const part = new TransportsPart({ runtime, table, discovery, wanted, remembered });
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
