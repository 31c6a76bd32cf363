/**
 * Bounds how many peers that have proven nothing yet are served at a time: in all, and of one host. Tested in
 * tests/messaging/server_test.ts.
 */

import { parseAddress } from "./address.ts";

/** How many. */
export interface HostLimits {
  /** In all. */
  readonly most: number;
  /** Of these, from one host: leaves room for others. */
  readonly perHost: number;
}

/** Counts peers by host. */
export class HostLimit {
  readonly #limits: HostLimits;
  readonly #byHost = new Map<string, number>();
  #taken = 0;

  constructor(limits: HostLimits) {
    this.#limits = limits;
  }

  /** Peers at the moment. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place.
   * @param address of the peer, `host:port`
   * @returns gives it back, harmless when repeated; undefined when there is none
   */
  take(address: string): (() => void) | undefined {
    const host = parseAddress(address)?.host ?? address;
    const ofHost = this.#byHost.get(host) ?? 0;
    if (this.#taken >= this.#limits.most || ofHost >= this.#limits.perHost) return undefined;
    this.#byHost.set(host, ofHost + 1);
    this.#taken++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken--;
      const left = (this.#byHost.get(host) ?? 1) - 1;
      if (left === 0) this.#byHost.delete(host);
      else this.#byHost.set(host, left);
    };
  }
}
