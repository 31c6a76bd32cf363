/**
 * `stcpr`: TCP to a visor that is found by its key through an address resolver (transports.md §2.2). Listening is plain
 * TCP; that others find the listener is the business of the visor, which tells the resolver about it.
 */

import { UnavailableError } from "../../errors/mod.ts";
import { STCPR } from "../../overlay/mod.ts";
import { type Network, sideBySide, type Timers } from "../../runtime/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "../driver.ts";

/** How long one address is ahead of the next one, ms, as RFC 8305 has it. */
const HEAD_START_MS = 250;

/** What the driver needs of an address resolver. */
export interface AddressSource {
  /**
   * Where a visor accepts links: `host:port` in the order to try; undefined when that is not known.
   * @throws {UnavailableError} when nobody answers
   */
  resolve(remote: PublicKey, options?: { readonly signal?: AbortSignal }): Promise<readonly string[] | undefined>;
}

/**
 * Makes the driver. An address that is given is dialled as it is.
 * @param deps the network to use, where time comes from; the resolver, absent when there is none
 */
export function createStcprDriver(
  { network, timers, resolver }: {
    readonly network: Network;
    readonly timers: Timers;
    readonly resolver?: AddressSource | undefined;
  },
): TransportDriver {
  const find = async (remote: PublicKey, options: { readonly signal?: AbortSignal }): Promise<readonly string[]> => {
    if (resolver === undefined) {
      throw new UnavailableError("transport/no-resolver", "Dial over stcpr: this network has no address resolver");
    }
    const found = await resolver.resolve(remote, options);
    if (found !== undefined && found.length > 0) return found;
    throw new UnavailableError(
      "transport/not-public",
      `Dial over stcpr: the address resolver does not know where ${shortKey(remote)} is`,
      { details: { remote } },
    );
  };
  return {
    ...STCPR,
    async dial(address, { remoteKey, signal }): Promise<RawLink> {
      const options = signal === undefined ? {} : { signal };
      signal?.throwIfAborted();
      return await sideBySide(address === "" ? await find(remoteKey, options) : [address], {
        timers,
        headStartMs: HEAD_START_MS,
        attempt: (candidate, signal) => network.dial(candidate, { signal }),
        discard: (late) => late.close(),
        signal,
      });
    },
    listen: (address): Promise<RawListener> => network.listen(address),
  };
}
