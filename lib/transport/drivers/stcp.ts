/**
 * `stcp`: plain TCP to an address that the user knows (transports.md §2.2). It stands on the network port, so the same
 * code runs over real sockets and in a simulation.
 */

import { STCP } from "../../overlay/mod.ts";
import type { Network } from "../../runtime/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "../driver.ts";

/**
 * Makes the driver.
 * @param deps the network to use
 */
export function createStcpDriver({ network }: { readonly network: Network }): TransportDriver {
  return {
    ...STCP,
    dial: (address, { signal }): Promise<RawLink> => network.dial(address, signal === undefined ? {} : { signal }),
    listen: (address): Promise<RawListener> => network.listen(address),
  };
}
