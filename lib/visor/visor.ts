/** What one can do with a visor. Tested in tests/visor/facets_test.ts. */

import type { ListenerView } from "../network/mod.ts";
import type { KeyedListener } from "../overlay/mod.ts";
import type { DialOptions, RouteConnection } from "../routing/mod.ts";
import type { Port, PublicKey } from "../types/mod.ts";
import type { VisorFacets } from "./facets.ts";

/**
 * A running visor. Beside what stands here it shows each of its capabilities under a name: `visor.transports` is
 * {@link VisorTransports}, `visor.routes` is {@link VisorRoutes}, and so on; `visor.status()` gives a {@link VisorStatus},
 * `visor.events()` iterates over {@link VisorEvent}s. Disposing it ends it within 2 s.
 */
export interface Visor extends AsyncDisposable, VisorFacets {
  /** Its identity, and its address on the overlay. */
  readonly publicKey: PublicKey;
  /** What another visor joins this network with. */
  readonly ticket: string;
  /** Base URL of the control API. */
  readonly api: string;
  /** Where it listens, in the order in which that began. */
  readonly listeners: readonly ListenerView[];
  /**
   * Connects to a port of another visor: finds routes, has the first that works set up, shakes hands.
   * @param remote a public key, its first 8 digits or more, or a name
   * @param port 1–65535
   * @throws {UnavailableError} `route/not-found`, `route/setup-failed`, `route/handshake-timeout`, `route/dial-timeout`
   * @throws {RefusedError} `visor/unknown-key`, `visor/unknown-name`, `route/self-dial`, `route/bad-path`, `route/no-listener` (or later, from the connection)
   * @throws {ClosedError} `route/closed` after the visor was ended; the reason of the signal
   */
  dial(remote: string, port: Port, options?: DialOptions): Promise<RouteConnection>;
  /**
   * Accepts connections to a port.
   * @param port 1–65535
   * @throws {RefusedError} `route/port-taken`; {ClosedError} `route/closed`
   */
  listen(port: Port): KeyedListener<RouteConnection>;
}
