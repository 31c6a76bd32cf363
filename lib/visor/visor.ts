/** A visor: all parts put together, and what one can do with them. */

import { formatTicket } from "../config/mod.ts";
import { BENCH_PORT, type BenchResult, runBench, serveBench } from "../apps/mod.ts";
import { publicKeyOf } from "../core/mod.ts";
import {
  DEFAULT_MAX_HOPS,
  type DialOptions,
  type PingOptions,
  pingPeer,
  type PingResult,
  type RouteConnection,
  type RouteListener,
  type RouteWish,
  type RuleSummary,
} from "../routing/mod.ts";
import type { Runtime, Storage } from "../runtime/mod.ts";
import { type Port, type PublicKey, shortKey } from "../types/mod.ts";
import { startControlServer } from "./control_server.ts";
import { DataFolder } from "./data_folder.ts";
import type { EmbeddedNetwork, EmbeddedNetworkContext } from "./embedded_network.ts";
import { Listeners } from "./listeners.ts";
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
  TransportView,
  VisorStatus,
} from "./views.ts";

/** What {@link startVisor} is told. */
export interface VisorOptions {
  readonly runtime: Runtime;
  /** The data folder. */
  readonly storage: Storage;
  /** The ticket of the network to join. */
  readonly join?: string;
  /** The name or address that others reach this machine by. */
  readonly host?: string;
  readonly autoTransport?: boolean;
  /** Ended with the visor. */
  readonly owned?: Disposable;
}

/** A running visor. Disposing it ends it within 2 s. */
export interface Visor extends AsyncDisposable {
  readonly publicKey: PublicKey;
  /** What another visor joins this network with. */
  readonly ticket: string;
  /** Base URL of the control API. */
  readonly api: string;
  readonly listeners: readonly ListenerView[];
  /** Connects to a port of another visor; errors as {@link Router.dial}. */
  dial(remote: PublicKey, port: Port, options?: DialOptions): Promise<RouteConnection>;
  /** Accepts connections to a port; errors as {@link Router.listen}. */
  listen(port: Port): RouteListener;
  /** Sets up a route and measures it. */
  ping(remote: PublicKey, options?: PingOptions): Promise<PingResult>;
  /**
   * Sets up a route and measures its throughput, in both directions one after the other.
   * @throws as {@link Router.dial}; {ProtocolError} `bench/cut` when the other visor is busy
   */
  bench(remote: PublicKey, options?: VisorBenchOptions): Promise<BenchResult>;
  /**
   * Asks the route finder.
   * @throws {UnavailableError} `route/not-found`
   */
  findRoutes(remote: PublicKey, options?: FindOptions): Promise<FoundRoute[]>;
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
  apps(): AppView[];
  /** @throws {RefusedError} `app/not-found` */
  startApp(name: string): Promise<void>;
  /** @throws {RefusedError} `app/not-found` */
  stopApp(name: string): Promise<void>;
  proxies(): ProxyView[];
  /** Sets up a proxy, kept over restarts. */
  addProxy(settings: ProxySettings): Promise<ProxyView>;
  /** @throws {RefusedError} `proxy/not-found` */
  removeProxy(id: string): Promise<void>;
  /** How the visor does. */
  status(): Promise<VisorStatus>;
  /** All keys this visor has heard of. */
  knownKeys(): Promise<ReadonlySet<PublicKey>>;
}

/** How to measure throughput. */
export interface VisorBenchOptions extends RouteWish {
  /** For each direction, 1–60; default 3. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

/** How to look for routes. */
export interface FindOptions extends Omit<RouteWish, "path"> {
  /** How many at most; default 3. */
  readonly count?: number;
  readonly signal?: AbortSignal;
}

/**
 * Starts a visor on the runtime it is given. It is ready at once and connects in the background.
 * @throws as {@link createVisor}
 */
export async function startVisor(options: VisorOptions): Promise<Visor> {
  await using stack = new AsyncDisposableStack();
  if (options.owned !== undefined) stack.use(options.owned);
  const { runtime } = options;
  const folder = new DataFolder(options.storage, runtime.random);
  const config = await loadConfig(folder, { ...options, http: runtime.http });
  const secret = stack.use(await folder.secretKey("visor"));
  const publicKey = publicKeyOf(secret);
  const listeners = new Listeners(config, runtime.log);

  const network = config.network ?? stack.use(await startOwnNetwork({ runtime, folder, listeners })).network;
  const ticket = formatTicket(network);
  const transportsOf = new VisorTransports({ runtime, folder, localKey: publicKey });
  const parts = stack.use(
    await joinParts({
      runtime,
      secret,
      network,
      listeners,
      transports: transportsOf,
      autoTransport: config.autoTransport,
    }),
  );
  const { router, routeFinder } = parts;
  const benches = serveBench(router.listen(BENCH_PORT), runtime);
  stack.defer(() => benches);
  const proxies = stack.use(new Proxies({ runtime, folder, router }));
  const report = new StatusReport({ runtime, publicKey, network, parts });

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
    findRoutes: async (remote, { count = 3, minHops = 1, maxHops = DEFAULT_MAX_HOPS, signal } = {}) => {
      const pairs: [PublicKey, PublicKey][] = [[publicKey, remote]];
      const [routes = []] = await routeFinder.findRoutes({ pairs, minHops, maxHops, ...(signal && { signal }) });
      return routes.slice(0, count).map((hops) => ({
        hops: hops.length,
        visors: [publicKey, ...hops.map((hop) => hop.to)],
        transports: hops.map((hop) => hop.transportId),
        cost: hops.length,
      }));
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
    status: () => report.make(),
    knownKeys: async () => new Set([publicKey, ...await transportsOf.knownKeys()]),
  };
  const control = stack.use(await startControlServer(visor, { runtime, folder, listeners }));
  await folder.saveConfig({ ...config, ports: listeners.ports });
  await transportsOf.restore();
  await proxies.restore();
  runtime.log.info("visor-started", { visor: shortKey(publicKey) });

  const owned = stack.move();
  return { ...visor, api: control.url, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}

/** Loaded only where it is needed: most visors join a network, and need none of its services. */
async function startOwnNetwork(context: EmbeddedNetworkContext): Promise<EmbeddedNetwork> {
  return await (await import("./embedded_network.ts")).startEmbeddedNetwork(context);
}
