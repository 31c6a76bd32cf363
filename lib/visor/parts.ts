/**
 * The parts of a visor that carry its traffic, joined: messaging, transports, router.
 * Tested in tests/visor/facets_test.ts.
 */

import { type NetworkConfig, resolverReach } from "../network/mod.ts";
import type { VisorConfig } from "./config/visor_config.ts";
import { type MessagingClient, serveHttp } from "../messaging/mod.ts";
import { MESSAGING, STCP, STCPR, WS } from "../overlay/mod.ts";
import { createRouter, type Router } from "../routing/mod.ts";
import type { Http, Runtime } from "../runtime/mod.ts";
import { type AddressResolverClient, createAddressResolverClient } from "../services/address_resolver/mod.ts";
import { joinMessaging } from "../network/join_messaging.ts";
import {
  createFallbackRouteFinder,
  createLocalRouteFinder,
  createRouteFinderClient,
  type RouteFinderClient,
} from "../services/route_finder/mod.ts";
import { createServiceDiscoveryClient, type ServiceDiscoveryClient } from "../services/service_discovery/mod.ts";
import {
  createTransportDiscoveryClient,
  createTransportFeedClient,
  type TransportDiscoveryClient,
} from "../services/transport_discovery/mod.ts";
import { createUptimeReport, REPORT_EVERY_MS } from "../services/uptime_tracker/mod.ts";
import {
  createMessagingDriver,
  createStcpDriver,
  createStcprDriver,
  createSwitchLoop,
  createTransportTable,
  createWsDriver,
  type SwitchLoop,
  type TransportDriver,
  type TransportTable,
} from "../transport/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { VERSION } from "../types/version.ts";
import { AddressBinding } from "./address_binding.ts";
import { Autoconnect } from "./autoconnect.ts";
import { type Listeners, portOf } from "../network/listeners.ts";
import type { KeptDocument } from "./kept_document.ts";
import { RepeatedReport } from "./repeated_report.ts";
import { AutomaticTransports } from "./transports/automatic.ts";
import type { WantedTransport } from "./transports/wanted.ts";
import { createVisorPage } from "./visor_page.ts";

/** What {@link joinParts} makes. Disposing ends all of it. */
export interface VisorParts extends AsyncDisposable {
  readonly messaging: MessagingClient;
  /** HTTP that reaches public keys, too. */
  readonly http: Http;
  readonly discovery: TransportDiscoveryClient;
  readonly loop: SwitchLoop;
  readonly table: TransportTable;
  readonly router: Router;
  readonly routeFinder: RouteFinderClient;
  /** Of a visor that is to be found by its key. */
  readonly binding?: AddressBinding | undefined;
  /** Of the transports that dials open by themselves. */
  readonly automatic: Pick<AutomaticTransports, "whyRelayed">;
}

/** How often a public visor says so to the service discovery; its entries do not end by themselves. */
const LIST_EVERY_MS = 5 * 60_000;

/** What {@link joinParts} needs. */
export interface VisorPartsDeps {
  readonly runtime: Runtime;
  readonly secret: SecretKey;
  /** Its URLs as this process reaches them. */
  readonly network: NetworkConfig;
  /** Asks the address resolver; default: over HTTP. */
  readonly askResolver?: Http["fetch"] | undefined;
  readonly listeners: Listeners;
  /** The transports that are kept up, loaded: where their remotes are. */
  readonly wanted: KeptDocument<readonly WantedTransport[]>;
  /** From outside. */
  readonly drivers: readonly TransportDriver[];
  readonly config: Pick<
    VisorConfig,
    "host" | "autoTransport" | "public" | "autoconnect" | "routeFinder" | "messagingSessions" | "addressBook"
  >;
  /** Puts something between the transports and the switch. */
  readonly wrapLoop?: ((loop: SwitchLoop) => SwitchLoop) | undefined;
}

/** Makes the parts and starts listening. */
export async function joinParts(deps: VisorPartsDeps): Promise<VisorParts> {
  const { runtime, secret, network, listeners, wanted, drivers, config } = deps;
  await using stack = new AsyncDisposableStack();
  const { messaging, http } = joinMessaging({
    runtime: { ...runtime, network: listeners.shortcut(runtime.network) },
    secret,
    url: network.messagingDiscovery,
    servers: network.messagingServers,
    clientType: "visor",
    ...(config.messagingSessions === undefined ? {} : { minSessions: config.messagingSessions }),
  });
  stack.use(messaging);
  // Of the network's services any may be at a public key.
  const reached = { ...runtime, http };
  const discovery = createTransportDiscoveryClient({ ...reached, url: network.transportDiscovery, secret });
  const feed = createTransportFeedClient({ ...reached, url: network.transportDiscovery });
  const routeFinder = stack.use(
    config.routeFinder === "local" || network.routeFinder === undefined
      ? createLocalRouteFinder({ runtime, feed })
      : createFallbackRouteFinder({
        runtime,
        feed,
        finder: createRouteFinderClient({ ...reached, url: network.routeFinder }),
      }),
  );
  const resolver = network.addressResolver === undefined ? undefined : createAddressResolverClient({
    ...reached,
    http: { fetch: deps.askResolver ?? http.fetch },
    url: network.addressResolver,
    secret,
  });
  const directory = network.serviceDiscovery === undefined
    ? undefined
    : createServiceDiscoveryClient({ ...reached, url: network.serviceDiscovery, secret });
  const page = createVisorPage({ runtime, messaging });
  stack.use(serveHttp({ messaging, handler: page, timers: runtime.timers, log: runtime.log }));
  const { wrapLoop = (loop) => loop } = deps;
  const loop = stack.use(wrapLoop(createSwitchLoop({ runtime, localKey: messaging.publicKey })));
  const table = stack.use(createTransportTable({
    runtime,
    secret,
    loop,
    drivers: [
      createStcpDriver(runtime),
      createStcprDriver({ network: runtime.network, timers: runtime.timers, resolver }),
      createMessagingDriver({ messaging }),
      createWsDriver({ http: runtime.http, beside: page }),
      ...drivers,
    ],
    discovery,
    addressOf: (kind, remote) =>
      wanted.value.find((one) => one.type === kind && one.remote === remote)?.address ??
        (kind === STCP.kind ? config.addressBook?.[remote] : undefined),
  }));
  for (const { kind, listener } of [STCP, WS]) {
    await listeners.open(listener, (address) => table.listen(kind, address));
  }
  await table.listen(MESSAGING.kind, "");
  for (const { kind, listenAddress } of drivers) {
    if (listenAddress !== undefined) listeners.note(`transport-${kind}`, await table.listen(kind, listenAddress));
  }
  const found =
    config.public ?? await isReachable({ runtime, listeners, network, isOwn: deps.askResolver !== undefined })
      ? stack.use(await goPublic({ runtime, listeners, table, resolver, directory, host: config.host }))
      : undefined;
  if (network.uptimeTracker !== undefined) {
    const report = createUptimeReport({ ...reached, url: network.uptimeTracker, secret });
    stack.use(
      new RepeatedReport({ runtime, name: "uptime-report", everyMs: REPORT_EVERY_MS, report: () => report(VERSION) }),
    );
  }
  const automatic = stack.use(new AutomaticTransports({ runtime, table, hasResolver: resolver !== undefined }));
  const router = stack.use(createRouter({
    runtime,
    secret,
    switchLoop: loop,
    transports: table,
    messaging,
    setupNodes: network.setupNodes,
    routeFinder,
    edgesOf: async (id) => (await discovery.byId(id))?.edges,
    ...(config.autoTransport && { ensureTransport: (remote, signal) => automatic.open(remote, signal) }),
  }));
  if (config.autoconnect && resolver !== undefined) {
    // In a network of v1.3 the resolver lists visors that are not public, too.
    const listed = (): Promise<readonly PublicKey[]> => directory?.visors() ?? resolver.listed();
    stack.use(new Autoconnect({ runtime, listed, table, localKey: messaging.publicKey, kind: STCPR.kind }));
  }
  const owned = stack.move();
  return {
    messaging,
    http,
    discovery,
    loop,
    table,
    router,
    routeFinder,
    binding: found?.binding,
    automatic,
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/**
 * Can others reach this machine by its address? On the Internet they can by a public one, and in a network whose own
 * services are at a private address by a private one. A name that cannot be resolved yet was given for others to use.
 */
async function isReachable(
  deps: {
    readonly runtime: Runtime;
    readonly listeners: Listeners;
    readonly network: NetworkConfig;
    readonly isOwn: boolean;
  },
): Promise<boolean> {
  const { runtime, listeners: { reach }, network, isOwn } = deps;
  if (reach === "internet" || reach === "unresolved") return true;
  return reach === "network" && (isOwn || await resolverReach(network, runtime) === "network");
}

/** Keeps a visor on the list of public ones. */
function listPublicly(deps: {
  readonly runtime: Runtime;
  readonly directory: ServiceDiscoveryClient;
  readonly host: string;
  readonly port: number;
}): RepeatedReport {
  const { runtime, directory, host, port } = deps;
  return new RepeatedReport({
    runtime,
    name: "public-listing",
    everyMs: LIST_EVERY_MS,
    report: async (signal) =>
      await directory.list(port, { version: VERSION, addresses: await runtime.network.resolve(host, { signal }) }),
    takeBack: () => directory.unlist(port),
  });
}

/** What a public visor does to be found; ends with the visor. */
interface Public extends AsyncDisposable {
  readonly binding: AddressBinding | undefined;
}

/** Listens for visors that find this one by its key, and registers it where they look. */
async function goPublic(deps: {
  readonly runtime: Runtime;
  readonly listeners: Listeners;
  readonly table: TransportTable;
  readonly resolver: AddressResolverClient | undefined;
  readonly directory: ServiceDiscoveryClient | undefined;
  readonly host: string;
}): Promise<Public> {
  const { runtime, listeners, table, resolver, directory, host } = deps;
  await using stack = new AsyncDisposableStack();
  const { address } = await listeners.open(STCPR.listener, (address) => table.listen(STCPR.kind, address));
  const port = portOf(address);
  if (directory !== undefined) stack.use(listPublicly({ runtime, directory, host, port }));
  if (resolver === undefined) {
    runtime.log.warn("public-address-failed", { error: "the network has no address resolver" });
  }
  const binding = resolver && stack.use(new AddressBinding({ runtime, resolver, host, port }));
  const owned = stack.move();
  return { binding, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
