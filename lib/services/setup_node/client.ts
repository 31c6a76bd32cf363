/** Asks setup nodes for routes: the visor's side of messaging port 36 (routing.md §5.8). */

import { RpcClient } from "../../wire/rpc/mod.ts";
import {
  type BidirectionalRoute,
  DIAL_ROUTE_GROUP,
  type EdgeRules,
  SETUP_NODE_PORT,
} from "../../wire/setup_messages.ts";
import type { PublicKey } from "../../types/mod.ts";
import type { SetupNetwork } from "./network.ts";

/** Asks for routes. */
export interface SetupClient {
  /**
   * Has one setup node install the rules of a route pair. Meanwhile it calls back: this visor's gateway must be running.
   * @param setupNode who is asked
   * @param route whose source is this visor
   * @param options `signal` ends the wait; the setup node itself gives up after 30 s
   * @returns the rules for this visor, to be checked and saved
   * @throws {RefusedError} `rpc/refused` with the setup node's words in `details.message`; {UnavailableError} when it
   *   cannot be reached or goes away; {ProtocolError} when it answers nonsense; the reason of `signal`
   */
  dialRouteGroup(
    setupNode: PublicKey,
    route: BidirectionalRoute,
    options?: { readonly signal?: AbortSignal },
  ): Promise<EdgeRules>;
}

/** Makes a client over messaging. */
export function createSetupClient(deps: { readonly messaging: Pick<SetupNetwork, "dial"> }): SetupClient {
  return {
    async dialRouteGroup(setupNode, route, options = {}): Promise<EdgeRules> {
      const stream = await deps.messaging.dial(setupNode, SETUP_NODE_PORT, options);
      using client = new RpcClient(stream);
      return await client.call(DIAL_ROUTE_GROUP, route, options);
    },
  };
}
