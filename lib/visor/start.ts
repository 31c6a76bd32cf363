/** Starts a visor: all parts put together. */

import { BENCH_PORT, runBench, serveBench } from "../apps/mod.ts";
import { formatTicket } from "../network/mod.ts";
import { publicKeyOf } from "../core/mod.ts";
import { describeError, RefusedError } from "../errors/mod.ts";
import { overlayAddressOf } from "../messaging/mod.ts";
import { pingPeer } from "../routing/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import { shortKey } from "../types/mod.ts";
import { startControlServer } from "./control/server.ts";
import { DataFolder } from "./data_folder.ts";
import type { EmbeddedNetwork, EmbeddedNetworkContext } from "../network/embedded_network.ts";
import { VisorEvents } from "./events/part.ts";
import { explainRoutes } from "./explain.ts";
import { importGoConfig } from "./config/go_config_import.ts";
import { Listeners } from "../network/listeners.ts";
import { joinParts } from "./parts.ts";
import { Proxies } from "./proxies/part.ts";
import { candidateViewOf, routeViewOf } from "./routes/views.ts";
import { loadConfig } from "./config/start_config.ts";
import { StatusReport } from "./status/part.ts";
import { VisorTransports } from "./transports/part.ts";
import type { Visor, VisorOptions } from "./visor.ts";

/** A network on this machine is there within a second, one far away within two; nobody should wait long for one that is away, ms. */
const CONNECT_WITHIN_MS = 3_000;

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
    bench: (remote, { seconds = 3, signal, ...constraints } = {}) =>
      runBench({
        durationMs: seconds * 1000,
        clock: runtime.clock,
        dial: (port) => router.dial(remote, port, { ...constraints, ...(signal && { signal }) }),
        ...(signal && { signal }),
      }),
    findRoutes: async (remote, { signal, ...constraints } = {}) => {
      const { routes } = await routeFinder.ask({ ...constraints, source: publicKey, destination: remote }, { signal });
      return routes.map(routeViewOf);
    },
    explainRoutes: async (remote, { signal, ...constraints } = {}) => {
      const query = { ...constraints, source: publicKey, destination: remote };
      const { table } = parts;
      return (await explainRoutes(query, { routeFinder, table, signal })).map(candidateViewOf);
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
  return await (await import("../network/embedded_network.ts")).startEmbeddedNetwork(context);
}
