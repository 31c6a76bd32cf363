/** The parts of a visor that carry its traffic, joined: messaging, transports, router. */

import type { NetworkConfig } from "../config/mod.ts";
import { createMessagingClient, type MessagingClient } from "../messaging/mod.ts";
import { createRouter, type Router } from "../routing/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import { createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";
import { createRouteFinderClient, type RouteFinderClient } from "../services/route_finder/mod.ts";
import { createTransportDiscoveryClient } from "../services/transport_discovery/mod.ts";
import {
  createMessagingDriver,
  createStcpDriver,
  createSwitchLoop,
  createTransportTable,
  type TransportTable,
} from "../transport/mod.ts";
import type { SecretKey } from "../types/mod.ts";
import type { Listeners } from "./listeners.ts";
import { MESSAGING_TYPE, STCP_TYPE, type VisorTransports } from "./transports.ts";

/** What {@link joinParts} makes. Disposing ends all of it. */
export interface VisorParts extends AsyncDisposable {
  readonly messaging: MessagingClient;
  readonly table: TransportTable;
  readonly router: Router;
  readonly routeFinder: RouteFinderClient;
}

/** Makes the parts and starts listening. */
export async function joinParts(options: {
  readonly runtime: Runtime;
  readonly secret: SecretKey;
  readonly network: NetworkConfig;
  readonly listeners: Listeners;
  readonly transports: VisorTransports;
  readonly autoTransport: boolean;
}): Promise<VisorParts> {
  const { runtime, secret, network, listeners, transports, autoTransport } = options;
  await using stack = new AsyncDisposableStack();
  const transportDiscovery = createTransportDiscoveryClient({ ...runtime, url: network.transportDiscovery, secret });
  const routeFinder = createRouteFinderClient({ ...runtime, url: network.routeFinder });
  const messaging = stack.use(createMessagingClient({
    runtime,
    secret,
    discovery: createMessagingDiscoveryClient({ ...runtime, url: network.messagingDiscovery }),
    clientType: "visor",
  }));
  // Closed before it is ready: nobody waits for it then.
  messaging.ready.catch(() => {});
  const loop = stack.use(createSwitchLoop({ runtime, localKey: messaging.publicKey }));
  const table = stack.use(createTransportTable({
    runtime,
    secret,
    loop,
    drivers: [createStcpDriver(runtime), createMessagingDriver({ messaging })],
    discovery: transportDiscovery,
    addressOf: (kind, remote) => transports.addressOf(kind, remote),
  }));
  transports.attach(table, transportDiscovery);
  await listeners.open("transport-stcp", (address) => table.listen(STCP_TYPE, address));
  await table.listen(MESSAGING_TYPE, "");
  const router = stack.use(createRouter({
    runtime,
    secret,
    switchLoop: loop,
    transports: table,
    messaging,
    setupNodes: network.setupNodes,
    routeFinder,
    ...(autoTransport ? { ensureTransport: (remote, signal) => transports.openAutomatic(remote, signal) } : {}),
  }));
  const owned = stack.move();
  return { messaging, table, router, routeFinder, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}
