/** What a visor is started with. Tested in tests/visor/public_visors_test.ts. */

import type { Runtime, Storage } from "../runtime/mod.ts";
import type { TransportDriver } from "../transport/mod.ts";

/** The settings of a visor. The data folder keeps all of them but `drivers` and `v13Config`. */
export interface VisorSettings {
  /** The ticket of the network to join; only the first start needs it. Default: an embedded network of its own. */
  readonly join?: string;
  /** The name or address by which others reach this machine. Default: loopback, for this machine only. */
  readonly host?: string;
  /** May a dial that finds no route open a transport by itself? Default true. */
  readonly autoTransport?: boolean;
  /**
   * Does the address resolver list this visor, so that others open TCP transports to it by its key? Default: yes when
   * `host` is, or leads to, a public IPv4 address; or a private one while the resolver is at a private one, too.
   */
  readonly public?: boolean;
  /** Does it keep a few transports to public visors up by itself? Default false. */
  readonly autoconnect?: boolean;
  /**
   * `local`: the visor computes routes from the map of the network. `network`: it asks the route finder of the network, and
   * computes them itself while that does not answer.
   */
  readonly routeFinder?: "local" | "network";
  /** The text of a v1.3 visor's `skywire-config.json`. The start first takes it over into the data folder. */
  readonly v13Config?: string;
  /** Drivers of further kinds of transports. A driver with a `listenAddress` listens from the start. */
  readonly drivers?: readonly TransportDriver[];
}

/** The options of {@link startVisor}. */
export interface VisorOptions extends VisorSettings {
  /** The ports to the world, see {@link createDenoRuntime}. The visor does not dispose it, unless it is `owned`. */
  readonly runtime: Runtime;
  /** The data folder, see {@link createDenoStorage}. */
  readonly storage: Storage;
  /** The visor disposes it when it ends; so does a start that fails. */
  readonly owned?: Disposable;
}
