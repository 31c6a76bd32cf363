/**
 * Asks setup nodes for routes: the visor's side of messaging port 36 (routing.md §5.8). Tested in
 * tests/services/setup_node/setup_node_test.ts.
 */

import type { Timers } from "../../runtime/mod.ts";
import {
  type BidirectionalRoute,
  DIAL_ROUTE_GROUP,
  type EdgeRules,
  SETUP_NODE_PORT,
} from "../../wire/setup_messages.ts";
import type { PublicKey } from "../../types/mod.ts";
import { ClientPool } from "../../overlay/rpc/client_pool.ts";
import type { KeyedNetwork } from "../../overlay/mod.ts";

/** Asks for routes. Disposing closes the streams that it keeps for further requests. */
export interface SetupClient extends Disposable {
  /**
   * Has one setup node install the rules of a route pair. Meanwhile it calls back: this visor's gateway must be running.
   * @param setupNode who is asked
   * @param route whose source is this visor
   * @param options `signal` ends the wait; the setup node itself gives up after 30 s. `isFresh`: over no stream that was
   *   kept, which may lead nowhere
   * @returns the rules for this visor, to be checked and saved
   * @throws {RefusedError} `rpc/refused` with the setup node's words in `details.message`; {UnavailableError} when it
   *   cannot be reached or goes away; {ProtocolError} when it answers nonsense; the reason of `signal`
   */
  dialRouteGroup(
    setupNode: PublicKey,
    route: BidirectionalRoute,
    options?: { readonly signal?: AbortSignal; readonly isFresh?: boolean },
  ): Promise<EdgeRules>;
  /** Is the next request to this node sent over a stream that was kept? Nobody knows whether it still leads there. */
  keepsStream(setupNode: PublicKey): boolean;
}

/** What a client needs. */
export interface SetupClientDeps {
  /** Its world. */
  readonly runtime: { readonly timers: Timers };
  /** How setup nodes are reached; not owned. */
  readonly messaging: Pick<KeyedNetwork, "dial">;
}

/** Makes a client over messaging. */
export function createSetupClient({ runtime, messaging }: SetupClientDeps): SetupClient {
  const pool = new ClientPool({ network: messaging, port: SETUP_NODE_PORT, timers: runtime.timers });
  return {
    async dialRouteGroup(setupNode, route, options = {}): Promise<EdgeRules> {
      using lease = await pool.acquire(setupNode, options);
      const rules = await lease.call(DIAL_ROUTE_GROUP, route, options);
      lease.keep();
      return rules;
    },
    keepsStream: (setupNode) => pool.keeps(setupNode),
    [Symbol.dispose]: () => pool[Symbol.dispose](),
  };
}
