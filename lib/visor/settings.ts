/** What a visor is started with. Tested in tests/visor/public_visors_test.ts. */

import type { Runtime, Storage } from "../runtime/mod.ts";
import type { TransportDriver } from "../transport/mod.ts";

/** What a start of a visor may ask for. All but drivers and `v13Config` is kept in the data folder. */
export interface VisorSettings {
  /** The ticket of the network to join; needed at the first start only. Without: a network of one. */
  readonly join?: string;
  /** The name or address that others reach this machine by. Without: loopback only. */
  readonly host?: string;
  /** Whether a dial that finds no route opens a transport by itself; default true. */
  readonly autoTransport?: boolean;
  /**
   * Whether it accepts TCP transports from visors that find it by its key through the address resolver; by default when
   * `host` is, or leads to, a public IPv4 address, or a private one in a network whose resolver is at a private one, too.
   */
  readonly public?: boolean;
  /** Whether it keeps a few transports to public visors up by itself; default false. */
  readonly autoconnect?: boolean;
  /** Who computes routes: the visor itself from the map, or the network's route finder as long as that answers. */
  readonly routeFinder?: "local" | "network";
  /** The text of a v1.3 visor's `skywire-config.json`, taken over into the data folder before all else. */
  readonly v13Config?: string;
  /** Transport kinds from outside, beside the built-in ones; a driver with a `listenAddress` listens from the start. */
  readonly drivers?: readonly TransportDriver[];
}

/** What `startVisor` is told. */
export interface VisorOptions extends VisorSettings {
  /** The ports to the world, see `createDenoRuntime`. The visor does not dispose it, see `owned`. */
  readonly runtime: Runtime;
  /** The data folder. */
  readonly storage: Storage;
  /** Disposed with the visor. */
  readonly owned?: Disposable;
}
