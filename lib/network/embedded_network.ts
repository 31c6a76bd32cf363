/**
 * The control plane of a network of one: every service in the visor's own process, on listeners of its own, with keys
 * and records in the data folder.
 */

import type { NetworkConfig } from "./network_config.ts";
import { publicKeyOf } from "../core/mod.ts";
import { createMessagingServer } from "../messaging/mod.ts";
import { formatAddress, type Http, type Runtime } from "../runtime/mod.ts";
import { createAddressResolver } from "../services/address_resolver/mod.ts";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
  joinMessaging,
} from "../services/messaging_discovery/mod.ts";
import { createRouteFinder } from "../services/route_finder/mod.ts";
import { createSetupNode } from "../services/setup_node/mod.ts";
import { createTransportDiscovery } from "../services/transport_discovery/mod.ts";
import type { Listeners } from "./listeners.ts";
import { type ServiceFolder, ServiceHost } from "./service_host.ts";

/** What the control plane is started with. */
export interface EmbeddedNetworkContext {
  readonly runtime: Runtime;
  readonly folder: ServiceFolder;
  readonly listeners: Listeners;
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

/** Starts all services. */
export async function startEmbeddedNetwork(context: EmbeddedNetworkContext): Promise<EmbeddedNetwork> {
  const { runtime, folder, listeners } = context;
  await using stack = new AsyncDisposableStack();

  // The setup node has sessions anyway: the services answer at its key.
  const secret = stack.use(await folder.secretKey("setup-node"));
  const publicKey = publicKeyOf(secret);
  const host = stack.use(new ServiceHost({ runtime, folder, listeners, publicKey }));

  const messagingDiscovery = await host.serve(
    "messaging-discovery",
    await createMessagingDiscovery({
      runtime,
      ...host.partsOf("messaging-discovery"),
      allowLoopback: listeners.isLocal,
    }),
  );
  const messagingServer = await listeners.open("messaging-server", async (address) =>
    createMessagingServer({
      runtime,
      secret: stack.use(await folder.secretKey("messaging-server")),
      listen: address,
      discovery: createMessagingDiscoveryClient({ ...runtime, url: messagingDiscovery.local }),
      ...(listeners.isLocal ? {} : { publicAddress: listeners.publicAddress(address) }),
    }));
  stack.use(messagingServer);
  const map = await createTransportDiscovery({ runtime, ...host.partsOf("transport-discovery") });
  const transportDiscovery = await host.serve("transport-discovery", map);
  const finder = createRouteFinder({ runtime, feed: map.feed, messaging: host.presenceOf("route-finder") });
  const routeFinder = await host.serve("route-finder", finder);
  const resolver = await createAddressResolver({
    runtime,
    ...host.partsOf("address-resolver"),
    allowLoopback: listeners.isPrivate,
  });
  const addressResolver = await host.serve("address-resolver", resolver);
  await resolver.bindOverUdp(addressResolver.address);
  const { messaging } = joinMessaging({
    runtime: { ...runtime, network: listeners.shortcut(runtime.network) },
    secret,
    url: messagingDiscovery.local,
  });
  stack.use(messaging);
  host.answerOver(messaging);
  stack.use(createSetupNode({ runtime, messaging }));
  // The servers wait for the services' event streams, and the messaging client needs the servers to say goodbye.
  stack.defer(() => host.close());

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
