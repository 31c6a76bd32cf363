/**
 * The control plane of a network of one: every service in the visor's own process, on listeners of its own, with keys
 * and records in the data folder.
 */

import { DEFAULT_PORTS, type ListenerPurpose, type NetworkConfig } from "../config/mod.ts";
import { createMessagingServer, HTTP_PORT, type MessagingClient, serveHttp } from "../messaging/mod.ts";
import { publicKeyOf } from "../core/mod.ts";
import { formatAddress, type Http, type Runtime } from "../runtime/mod.ts";
import type { HttpService, MessagingPresence } from "../services/http/mod.ts";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
  joinMessaging,
} from "../services/messaging_discovery/mod.ts";
import { createAddressResolver } from "../services/address_resolver/mod.ts";
import { createRouteFinder } from "../services/route_finder/mod.ts";
import { createSetupNode, KNOWN_TRANSPORT_KINDS } from "../services/setup_node/mod.ts";
import { createTransportDiscovery } from "../services/transport_discovery/mod.ts";
import { openDatabase, type SqlDatabase } from "../storage/mod.ts";
import type { TransportDriver } from "../transport/mod.ts";
import type { Port } from "../types/mod.ts";
import type { DataFolder } from "./data_folder.ts";
import type { Listeners } from "./listeners.ts";

/** What the control plane is started with. */
export interface EmbeddedNetworkContext {
  readonly runtime: Runtime;
  readonly folder: DataFolder;
  readonly listeners: Listeners;
  /** Of the visor: its routes may use their kinds. */
  readonly drivers: readonly TransportDriver[];
}

/** A running control plane. Disposing ends it. */
export interface EmbeddedNetwork extends AsyncDisposable {
  /** What visors are told of it. */
  readonly network: NetworkConfig;
  /** Resolves when the setup node can be reached, and with it everything. */
  readonly ready: Promise<void>;
  /** How the visor in this process reaches it: over loopback. */
  readonly own: NetworkConfig;
  /**
   * The same for the address resolver, which takes where a request comes from for the visor's address: there, requests
   * come from the address that others find this machine by.
   */
  readonly askResolver: Http["fetch"];
}

/** Where a service is. */
interface ServedService {
  /** `host:port` that it listens on. */
  readonly address: string;
  /** Base URL for this process. */
  readonly local: string;
  /** Base URL for others. */
  readonly public: string;
}

/** Starts all services. */
export async function startEmbeddedNetwork(context: EmbeddedNetworkContext): Promise<EmbeddedNetwork> {
  const { runtime, folder, listeners } = context;
  await using stack = new AsyncDisposableStack();

  const open = (name: string): SqlDatabase | undefined => {
    const database = openDatabase(folder.path === undefined ? "memory:" : `sqlite:${folder.path}/${name}.sqlite`);
    if (database !== undefined) stack.defer(() => database.close());
    return database;
  };
  // The services answer over messaging, too, at the key of the setup node, which has the sessions anyway.
  const setupSecret = stack.use(await folder.secretKey("setup-node"));
  const publicKey = publicKeyOf(setupSecret);
  const joined: { client?: MessagingClient } = {};
  const presenceOf = (purpose: ListenerPurpose): MessagingPresence & { readonly port: Port } => ({
    publicKey,
    port: purpose === "messaging-discovery" ? HTTP_PORT : DEFAULT_PORTS[purpose],
    get sessions(): MessagingClient["sessions"] {
      return joined.client?.sessions ?? [];
    },
  });
  const services: [ListenerPurpose, HttpService][] = [];
  const serve = async (purpose: ListenerPurpose, service: HttpService): Promise<ServedService> => {
    const server = await listeners.open(purpose, (address) => runtime.http.serve(address, service.fetch));
    services.push([purpose, service]);
    stack.defer(() => server.close());
    // First the service, which ends its event streams: the server waits for them.
    stack.defer(() => service.close());
    return {
      address: server.address,
      local: `http://${listeners.localAddress(server.address)}`,
      public: `http://${listeners.publicAddress(server.address)}`,
    };
  };

  const messagingDiscovery = await serve(
    "messaging-discovery",
    await createMessagingDiscovery({
      runtime,
      database: open("messaging-discovery"),
      allowLoopback: listeners.isLocal,
      messaging: presenceOf("messaging-discovery"),
    }),
  );
  const discovery = createMessagingDiscoveryClient({ ...runtime, url: messagingDiscovery.local });
  const messagingServer = await listeners.open("messaging-server", async (address) => {
    const secret = stack.use(await folder.secretKey("messaging-server"));
    return createMessagingServer({
      runtime,
      secret,
      listen: address,
      discovery,
      ...(listeners.isLocal ? {} : { publicAddress: listeners.publicAddress(address) }),
    });
  });
  stack.use(messagingServer);
  const map = await createTransportDiscovery({
    runtime,
    database: open("transport-discovery"),
    messaging: presenceOf("transport-discovery"),
  });
  const transportDiscovery = await serve("transport-discovery", map);
  const routeFinder = await serve(
    "route-finder",
    createRouteFinder({ runtime, feed: map.feed, messaging: presenceOf("route-finder") }),
  );
  const resolver = await createAddressResolver({
    runtime,
    database: open("address-resolver"),
    allowLoopback: listeners.isPrivate,
    messaging: presenceOf("address-resolver"),
  });
  const addressResolver = await serve("address-resolver", resolver);
  await resolver.bindOverUdp(addressResolver.address);
  const { messaging } = joinMessaging({
    runtime: { ...runtime, network: listeners.shortcut(runtime.network) },
    secret: setupSecret,
    url: messagingDiscovery.local,
  });
  joined.client = messaging;
  stack.use(messaging);
  for (const [purpose, { fetch: handler }] of services) {
    const listener = messaging.listen(presenceOf(purpose).port);
    stack.use(serveHttp({ listener, publicKey, handler, timers: runtime.timers, log: runtime.log }));
  }
  const transportKinds = [...KNOWN_TRANSPORT_KINDS, ...context.drivers.map(({ kind }) => kind)];
  stack.use(createSetupNode({ runtime, messaging, transportKinds }));
  // Before all servers, which wait for the event streams of services.
  stack.defer(async () => void await Promise.all(services.map(([, service]) => service.close())));

  const seenFrom = (side: "local" | "public"): NetworkConfig => ({
    messagingDiscovery: messagingDiscovery[side],
    transportDiscovery: transportDiscovery[side],
    routeFinder: routeFinder[side],
    addressResolver: addressResolver[side],
    setupNodes: [publicKey],
  });
  const owned = stack.move();
  return {
    network: seenFrom("public"),
    own: seenFrom("local"),
    askResolver: async (request) => {
      const [host] = await runtime.network.resolve(listeners.host, { signal: request.signal });
      return await resolver.fetch(request, { remote: formatAddress(host!, 0) });
    },
    ready: messaging.ready,
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}
