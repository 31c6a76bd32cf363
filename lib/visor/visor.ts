/** What one can do with a visor. */

import type { BenchResult } from "../apps/mod.ts";
import type {
  DialOptions,
  PingOptions,
  PingResult,
  RouteConnection,
  RouteListener,
  RuleSummary,
} from "../routing/mod.ts";
import type { Runtime, Storage } from "../runtime/mod.ts";
import type { RouteConstraints, RouteQuery } from "../services/route_finder/mod.ts";
import type { ListenerView } from "../network/mod.ts";
import type { TransportDriver } from "../transport/mod.ts";
import type { Port, PublicKey } from "../types/mod.ts";
import type { VisorEvent } from "./events/part.ts";
import type { ProxySettings } from "./proxies/settings.ts";
import type { AddTransportOptions } from "./transports/part.ts";
import type {
  AppView,
  NetworkTransport,
  ProxyView,
  RouteCandidateView,
  RouteView,
  TransportView,
  VisorStatus,
} from "./views.ts";

/** What a start of a visor may ask for. All but drivers and `goConfig` is kept in the data folder. */
export interface VisorSettings {
  /** The ticket of the network to join; needed at the first start only. Without: a network of one. */
  readonly join?: string;
  /** The name or address that others reach this machine by. Without: loopback only. */
  readonly host?: string;
  /** Whether a dial that finds no route opens a transport by itself; default true. */
  readonly autoTransport?: boolean;
  /**
   * Whether it accepts TCP transports from whoever finds it by its key through the address resolver; by default when
   * `host` is a public IPv4 address.
   */
  readonly public?: boolean;
  /** Whether it keeps a few transports to public visors up by itself; default false. */
  readonly autoconnect?: boolean;
  /** Who computes routes: the visor itself from the map, or the network's route finder as long as that answers. */
  readonly routeFinder?: "local" | "network";
  /** The text of a v1.3 visor's `skywire-config.json`, taken over into the data folder before all else. */
  readonly goConfig?: string;
  /** Transport kinds from outside, beside the built-in ones; a driver with a `listenAddress` listens from the start. */
  readonly drivers?: readonly TransportDriver[];
}

/** What `startVisor` is told. */
export interface VisorOptions extends VisorSettings {
  /** Its world, see `createDenoRuntime`. Outlives the visor unless it is `owned`, too. */
  readonly runtime: Runtime;
  /** The data folder. */
  readonly storage: Storage;
  /** Ended with the visor. */
  readonly owned?: Disposable;
}

/** A running visor. Disposing it ends it within 2 s. */
export interface Visor extends AsyncDisposable {
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
   * @param remote whose visor
   * @param port 1–65535
   * @throws {UnavailableError} `route/not-found`, `route/setup-failed`, `route/handshake-timeout`, `route/dial-timeout`
   * @throws {RefusedError} `route/self-dial`, `route/bad-path`, `route/no-listener` (or later, from the connection)
   * @throws {ClosedError} `route/closed` after the visor was ended; the reason of the signal
   */
  dial(remote: PublicKey, port: Port, options?: DialOptions): Promise<RouteConnection>;
  /**
   * Accepts connections to a port.
   * @param port 1–65535
   * @throws {RefusedError} `route/port-taken`; {ClosedError} `route/closed`
   */
  listen(port: Port): RouteListener;
  /**
   * Sets up a route and measures round trips over it.
   * @throws as {@link Visor.dial}
   */
  ping(remote: PublicKey, options?: PingOptions): Promise<PingResult>;
  /**
   * Sets up a route and measures its throughput, in both directions one after the other.
   * @throws as {@link Visor.dial}; {ProtocolError} `bench/cut` when the other visor is busy
   */
  bench(remote: PublicKey, options?: VisorBenchOptions): Promise<BenchResult>;
  /**
   * Asks the route finder for routes to a visor, the best first.
   * @throws {UnavailableError} `route/not-found`
   */
  findRoutes(remote: PublicKey, options?: FindOptions): Promise<RouteView[]>;
  /**
   * Shows which routes to a visor there could be, and why one is chosen and the others are not; the chosen one first. None
   * is chosen when every one breaks a condition.
   * @throws {UnavailableError} `route/not-found` when there is nothing to show
   */
  explainRoutes(remote: PublicKey, options?: FindOptions): Promise<RouteCandidateView[]>;
  /** All live routing rules. */
  rules(): RuleSummary[];
  /** This visor's transports. */
  transports(): TransportView[];
  /** All transports of the network. */
  networkTransports(): Promise<NetworkTransport[]>;
  /**
   * Opens a transport and keeps it up, over restarts too.
   * @throws {RefusedError} `transport/unknown-type`, `transport/no-address`
   * @throws {UnavailableError} when the other visor cannot be reached
   */
  addTransport(remote: PublicKey, options: AddTransportOptions): Promise<TransportView>;
  /**
   * Closes a transport and stops keeping it up.
   * @throws {RefusedError} `transport/not-found`
   */
  removeTransport(id: string): Promise<string>;
  /** The apps that it runs, stopped ones included. */
  apps(): AppView[];
  /**
   * Starts an app; harmless when it has been started. Resolves when it does its work.
   * @throws {RefusedError} `app/unknown`; what made its first run fail
   */
  startApp(name: string): Promise<void>;
  /**
   * Stops an app and waits until it has ended.
   * @throws {RefusedError} `app/unknown`
   */
  stopApp(name: string): Promise<void>;
  /** The proxies that were set up, stopped ones included. */
  proxies(): ProxyView[];
  /**
   * Sets up a proxy, kept over restarts, and starts it; a server replaces the one before.
   * @throws {UnavailableError} when a client's local address cannot be had; nothing is kept then
   */
  addProxy(settings: ProxySettings): Promise<ProxyView>;
  /**
   * Stops a proxy and forgets it.
   * @throws {RefusedError} `proxy/not-found`
   */
  removeProxy(id: string): Promise<void>;
  /**
   * Asks whoever serves HTTP at a public key, over messaging: `http://<key>.sky[:port]/path`, port 80 unless named.
   * @throws {RefusedError} `http/no-key` when the URL names no public key
   * @throws {UnavailableError} `http/unreachable`; the reason of the request's signal
   */
  fetch(request: Request): Promise<Response>;
  /**
   * What happens, from the first step of the iteration on: transports and routes that come and go, and parts that fail or
   * recover. Ends with the visor, or when `signal` aborts.
   */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterable<VisorEvent>;
  /** How the visor does. */
  status(): Promise<VisorStatus>;
  /** All keys this visor has heard of. */
  knownKeys(): Promise<ReadonlySet<PublicKey>>;
}

/** How to measure throughput. */
export interface VisorBenchOptions extends RouteConstraints {
  /** For each direction, 1–60; default 3. */
  readonly seconds?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** How to look for routes. */
export interface FindOptions extends Omit<RouteQuery, "source" | "destination"> {
  /** Gives up. */
  readonly signal?: AbortSignal;
}
