/**
 * The control plane of a network of one: every service in the visor's own process, on listeners of its own, with keys
 * and records in the data folder.
 */

import type { ListenerPurpose, NetworkConfig } from "../config/mod.ts";
import { createMessagingClient, createMessagingServer } from "../messaging/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { HttpService } from "../services/http/mod.ts";
import { createMessagingDiscovery, createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";
import { createAddressResolver } from "../services/address_resolver/mod.ts";
import { createRouteFinder } from "../services/route_finder/mod.ts";
import { createSetupNode } from "../services/setup_node/mod.ts";
import { createTransportDiscovery } from "../services/transport_discovery/mod.ts";
import { openDatabase, type SqlDatabase } from "../storage/mod.ts";
import type { DataFolder } from "./data_folder.ts";
import { type Listeners, portOf } from "./listeners.ts";

/** What the control plane is started with. */
export interface EmbeddedNetworkContext {
  readonly runtime: Runtime;
  readonly folder: DataFolder;
  readonly listeners: Listeners;
}

/** A running control plane. Disposing ends it. */
export interface EmbeddedNetwork extends AsyncDisposable {
  /** What visors are told of it. */
  readonly network: NetworkConfig;
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
  const serve = async (purpose: ListenerPurpose, service: HttpService): Promise<{ local: string; public: string }> => {
    const server = await listeners.open(purpose, (address) => runtime.http.serve(address, service.fetch));
    stack.defer(() => server.close());
    // First the service, which ends its event streams: the server waits for them.
    stack.defer(() => service.close());
    return {
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
    }),
  );
  const discovery = createMessagingDiscoveryClient({ ...runtime, url: messagingDiscovery.local });
  const messagingServer = await listeners.open("messaging-server", async (address) => {
    const secret = stack.use(await folder.secretKey("messaging-server"));
    const port = portOf(address);
    return createMessagingServer({
      runtime,
      secret,
      listen: address,
      discovery,
      ...(listeners.isLocal || port === 0 ? {} : { publicAddress: listeners.publicAddress(address) }),
    });
  });
  stack.use(messagingServer);
  const map = await createTransportDiscovery({ runtime, database: open("transport-discovery") });
  const transportDiscovery = await serve("transport-discovery", map);
  const routeFinder = await serve("route-finder", createRouteFinder({ runtime, feed: map.feed }));
  const addressResolver = await serve(
    "address-resolver",
    await createAddressResolver({
      runtime,
      database: open("address-resolver"),
      allowLoopback: listeners.isPrivate,
    }),
  );
  const setupSecret = stack.use(await folder.secretKey("setup-node"));
  const messaging = stack.use(createMessagingClient({ runtime, secret: setupSecret, discovery }));
  stack.use(createSetupNode({ runtime, messaging }));

  const owned = stack.move();
  return {
    network: {
      messagingDiscovery: messagingDiscovery.public,
      transportDiscovery: transportDiscovery.public,
      routeFinder: routeFinder.public,
      addressResolver: addressResolver.public,
      setupNodes: [messaging.publicKey],
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}
