/** What one can do with a visor. Tested in tests/visor/facets_test.ts. */

import type { ListenerView } from "../network/mod.ts";
import type { KeyedListener } from "../overlay/mod.ts";
import type { DialOptions, RouteConnection } from "../routing/mod.ts";
import type { Port, PublicKey } from "../types/mod.ts";
import type { VisorFacets } from "./facets.ts";

/**
 * A running visor. Disposing it ends it within 2 s.
 *
 * Each of its capabilities has a name: `visor.transports` is a {@link VisorTransports}, `visor.routes` a
 * {@link VisorRoutes}, and so on. `visor.status()` gives a {@link VisorStatus}; `visor.events()` iterates over
 * {@link VisorEvent}s.
 */
export interface Visor extends AsyncDisposable, VisorFacets {
  /** The identity of the visor, and its address on the overlay. */
  readonly publicKey: PublicKey;
  /** The ticket with which another visor joins this network, see {@link VisorSettings.join}. */
  readonly ticket: string;
  /** The base URL of the control API. */
  readonly api: string;
  /** Its listeners, in the order in which they were opened. */
  readonly listeners: readonly ListenerView[];
  /**
   * Connects to a port of another visor. It asks for routes, takes the first that can be set up, and makes the handshake.
   * @param remote a public key, its first 8 digits or more, or a name
   * @param port 1–65535
   * @param options what the route must satisfy, and a signal
   * @returns the connection, encrypted from end to end
   * @throws {UnavailableError} `route/not-found` when no route satisfies the options; `route/setup-failed` when none could
   * be set up; `route/handshake-timeout` when the other visor did not answer; `route/dial-timeout` when all of it took too
   * long
   * @throws {RefusedError} `visor/unknown-key`, `visor/unknown-name` or `visor/ambiguous-key` when `remote` does not name one
   * visor; `route/self-dial` when it is this visor; `route/bad-path` when `options.path` does not lead there;
   * `route/no-listener` when nothing listens on the port, at once or later from the connection
   * @throws {ClosedError} `route/closed` when this visor has ended
   * @throws the reason of `options.signal`
   */
  dial(remote: string, port: Port, options?: DialOptions): Promise<RouteConnection>;
  /**
   * Accepts connections to a port of this visor.
   * @param port 1–65535
   * @throws {RefusedError} `route/port-taken` when something listens there
   * @throws {ClosedError} `route/closed` when this visor has ended
   */
  listen(port: Port): KeyedListener<RouteConnection>;
}
