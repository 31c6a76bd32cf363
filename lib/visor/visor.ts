/** A visor: all parts put together, and what one can do with them. */

import { formatTicket } from "../config/mod.ts";
import { BENCH_PORT, type BenchResult, runBench, serveBench } from "../apps/mod.ts";
import { publicKeyOf } from "../core/mod.ts";
import { describeError, RefusedError } from "../errors/mod.ts";
import { overlayAddressOf } from "../messaging/mod.ts";
import {
  type DialOptions,
  type PingOptions,
  pingPeer,
  type PingResult,
  type RouteConnection,
  type RouteListener,
  type RouteWish,
  type RuleSummary,
} from "../routing/mod.ts";
import { type Runtime, type Storage, withTimeout } from "../runtime/mod.ts";
import type { RatedRoute, RouteCandidate, RouteConditions } from "../services/route_finder/mod.ts";
import type { TransportDriver } from "../transport/mod.ts";
import { type Port, type PublicKey, shortKey } from "../types/mod.ts";
import { startControlServer } from "./control_server.ts";
import { DataFolder } from "./data_folder.ts";
import { explainRoutes } from "./explain.ts";
import type { EmbeddedNetwork, EmbeddedNetworkContext } from "./embedded_network.ts";
import { importGoConfig } from "./go_config_import.ts";
import { Listeners } from "./listeners.ts";
import { type VisorEvent, VisorEvents } from "./events.ts";
import { joinParts } from "./parts.ts";
import { Proxies } from "./proxies.ts";
import type { ProxySettings } from "./proxy_settings.ts";
import { loadConfig } from "./start_config.ts";
import { StatusReport } from "./status.ts";
import { type AddTransportOptions, VisorTransports } from "./transports.ts";
import type {
  AppView,
  FoundRoute,
  ListenerView,
  NetworkTransport,
  ProxyView,
  RouteCandidateView,
  TransportView,
  VisorStatus,
} from "./views.ts";

/** A network on this machine is there within a second, one far away within two; nobody should wait long for one that is away, ms. */
const CONNECT_WITHIN_MS = 3_000;

/** What {@link startVisor} is told. */
export interface VisorOptions {
  /** Its world, see `createDenoRuntime`. Outlives the visor unless it is `owned`, too. */
  readonly runtime: Runtime;
  /** The data folder. */
  readonly storage: Storage;
  /** The ticket of the network to join. */
  readonly join?: string;
  /** The name or address that others reach this machine by. */
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
  /** Who computes routes: the visor itself from the map, or the network's route finder as long as that answers; kept. */
  readonly routeFinder?: "local" | "network";
  /** The text of a v1.3 visor's `skywire-config.json`, taken over into the data folder before all else. */
  readonly goConfig?: string;
  /** Transport kinds from outside, beside the built-in ones; a driver with a `listenAddress` listens from the start. */
  readonly drivers?: readonly TransportDriver[];
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
  findRoutes(remote: PublicKey, options?: FindOptions): Promise<FoundRoute[]>;
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
export interface VisorBenchOptions extends RouteWish {
  /** For each direction, 1–60; default 3. */
  readonly seconds?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** How to look for routes. */
export interface FindOptions extends RouteConditions {
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/**
 * Starts a visor on the runtime it is given. It is ready when it is connected, or after 3 s; then it goes on in the background.
 * @throws as {@link createVisor}
 */
export async function startVisor(options: VisorOptions): Promise<Visor> {
  await using stack = new AsyncDisposableStack();
  if (options.owned !== undefined) stack.use(options.owned);
  const { runtime, drivers = [] } = options;
  const folder = new DataFolder(options.storage, runtime.random);
  stack.use(await folder.lock());
  if (options.goConfig !== undefined) await importGoConfig(folder, { text: options.goConfig, log: runtime.log });
  const config = await loadConfig(folder, options);
  const secret = stack.use(await folder.secretKey("visor"));
  const publicKey = publicKeyOf(secret);
  const listeners = new Listeners(config, runtime.log);

  const embedded = config.network === undefined
    ? stack.use(await startOwnNetwork({ runtime, folder, listeners, drivers }))
    : undefined;
  const network = embedded?.own ?? config.network!;
  const ticket = formatTicket(embedded?.network ?? network);
  const transportsOf = new VisorTransports({ runtime, folder, localKey: publicKey, addressBook: config.addressBook });
  const parts = stack.use(
    await joinParts({
      runtime,
      secret,
      network,
      askResolver: embedded?.askResolver,
      listeners,
      transports: transportsOf,
      drivers,
      config,
    }),
  );
  const { router, routeFinder } = parts;
  const benchPort = router.listen(BENCH_PORT);
  const benches = serveBench(benchPort, runtime);
  stack.defer(async () => {
    benchPort.close();
    await benches;
  });
  const proxies = stack.use(new Proxies({ runtime, folder, router }));
  const report = new StatusReport({ runtime, publicKey, network, parts });
  const events = stack.use(
    new VisorEvents({ runtime, localKey: publicKey, table: parts.table, router, status: () => report.make() }),
  );

  const visor: Omit<Visor, "api" | typeof Symbol.asyncDispose> = {
    publicKey,
    ticket,
    listeners: listeners.opened,
    dial: (remote, port, options) => router.dial(remote, port, options),
    listen: (port) => router.listen(port),
    ping: (remote, options) => pingPeer(router, remote, options),
    bench: (remote, { seconds = 3, signal, ...wish } = {}) =>
      runBench({
        durationMs: seconds * 1000,
        clock: runtime.clock,
        dial: (port) => router.dial(remote, port, { ...wish, ...(signal && { signal }) }),
        ...(signal && { signal }),
      }),
    findRoutes: async (remote, { signal, ...conditions } = {}) => {
      const { routes } = await routeFinder.ask({ ...conditions, source: publicKey, destination: remote }, { signal });
      return routes.map(foundRouteOf);
    },
    explainRoutes: async (remote, { signal, ...conditions } = {}) => {
      const question = { ...conditions, source: publicKey, destination: remote };
      const { table } = parts;
      return (await explainRoutes(question, { routeFinder, table, signal })).map(candidateViewOf);
    },
    rules: () => router.rules(),
    transports: () => transportsOf.list(),
    networkTransports: () => transportsOf.network(),
    addTransport: (remote, options) => transportsOf.add(remote, options),
    removeTransport: (id) => transportsOf.remove(id),
    apps: () => proxies.apps(),
    startApp: (name) => proxies.start(name),
    stopApp: (name) => proxies.stop(name),
    proxies: () => proxies.list(),
    addProxy: (settings) => proxies.add(settings),
    removeProxy: (id) => proxies.remove(id),
    // Async: what is wrong with the URL comes as a rejection, too.
    fetch: async (request) => {
      if (overlayAddressOf(new URL(request.url)) !== undefined) return await parts.http.fetch(request);
      throw new RefusedError("http/no-key", `Get "${request.url}": wanted http://PK.sky/… with a public key`);
    },
    events: ({ signal } = {}) => events.watch(signal),
    status: () => report.make(),
    knownKeys: async () => new Set([publicKey, ...await transportsOf.knownKeys()]),
  };
  const control = stack.use(await startControlServer(visor, { runtime, folder, listeners }));
  await folder.saveConfig({ ...config, ports: listeners.ports });
  await transportsOf.restore();
  await proxies.restore();
  // Whoever dials as soon as it is ready is to find it connected; without a network it is ready all the same.
  await withTimeout(() => Promise.all([parts.messaging.ready, embedded?.ready]), {
    timers: runtime.timers,
    ms: CONNECT_WITHIN_MS,
    code: "visor/not-connected",
    message: "Wait for the network",
  }).catch((error) => runtime.log.warn("not-connected-yet", { error: describeError(error) }));
  runtime.log.info("visor-started", { visor: shortKey(publicKey) });

  const owned = stack.move();
  return { ...visor, api: control.url, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}

/** Loaded only where it is needed: most visors join a network, and need none of its services. */
async function startOwnNetwork(context: EmbeddedNetworkContext): Promise<EmbeddedNetwork> {
  return await (await import("./embedded_network.ts")).startEmbeddedNetwork(context);
}

function foundRouteOf({ hops, cost, figures }: RatedRoute): FoundRoute {
  const { latencyMs, throughputMBps, resetsPerHour } = figures;
  return { hops: hops.length, ...wayOf(hops), cost, latencyMs, throughputMBps, resetsPerHour };
}

function candidateViewOf({ hops, figures, chosen, reason }: RouteCandidate): RouteCandidateView {
  return { ...wayOf(hops), cost: figures, chosen, reason };
}

function wayOf(hops: RatedRoute["hops"]): Pick<FoundRoute, "visors" | "transports"> {
  return {
    visors: [hops[0]!.from, ...hops.map((hop) => hop.to)],
    transports: hops.map((hop) => hop.transportId),
  };
}
