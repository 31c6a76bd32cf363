/**
 * The control plane of a network of one: every service in the visor's own process, on listeners of its own, with keys
 * and records in the data folder. Tested in tests/visor/hairpin_test.ts.
 */

import { HTTP_PORT } from "../messaging/mod.ts";
import { formatAddress, type Http, type HttpServer, type Runtime } from "../runtime/mod.ts";
import type { SecretKey } from "../types/mod.ts";
import { at } from "../types/at.ts";
import { ControlPlane } from "./control_plane.ts";
import { DEFAULT_PORTS, type ListenerPurpose } from "./listener_ports.ts";
import type { Listeners } from "./listeners.ts";
import { machineMark } from "./loopback.ts";
import type { NetworkConfig } from "./network_config.ts";
import type { ServiceName } from "./service_host.ts";

/** Where services keep what they need. */
export interface ServiceFolder {
  /** Where the records of a service are kept: `sqlite:FILE` or `memory:`. */
  databaseOf(name: ServiceName): string;
  /** The secret key `<name>.key`, made when it is missing. The caller disposes it. */
  secretKey(name: string): Promise<SecretKey>;
}

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
  const relaySecret = stack.use(await folder.secretKey("messaging-server"));
  const plane = stack.use(
    new ControlPlane({
      runtime,
      secret,
      listen: (name, bind) => listeners.open(purposeOf(name), bind),
      databaseOf: (name) => folder.databaseOf(name),
      portOf: (name) => name === "messaging-discovery" ? HTTP_PORT : DEFAULT_PORTS[purposeOf(name)],
    }),
  );
  const localUrl = ({ address }: HttpServer): string => `http://${listeners.localAddress(address)}`;
  const publicUrl = ({ address }: HttpServer): string => `http://${listeners.publicAddress(address)}`;

  const directory = await plane.messagingDiscovery({ allowLoopback: listeners.isLocal });
  await plane.messagingServer({
    secret: relaySecret,
    discovery: localUrl(directory.server),
    publicAddress: (address) => listeners.isLocal ? undefined : listeners.publicAddress(address),
  });
  const map = await plane.transportDiscovery();
  const finder = await plane.routeFinder(map.service.feed);
  const isPrivate = listeners.reach === "machine" || listeners.reach === "network";
  const resolver = await plane.addressResolver({ allowLoopback: isPrivate });
  const messaging = plane.join({
    discovery: localUrl(directory.server),
    network: listeners.shortcut(runtime.network),
  });
  plane.setupNode();

  const seenBy = (urlOf: (server: HttpServer) => string): NetworkConfig => ({
    messagingDiscovery: urlOf(directory.server),
    transportDiscovery: urlOf(map.server),
    routeFinder: urlOf(finder.server),
    addressResolver: urlOf(resolver.server),
    setupNodes: [plane.publicKey],
  });
  const machine = listeners.isLocal ? await machineMark(plane.publicKey, runtime.network) : undefined;
  const owned = stack.move();
  return {
    network: { ...seenBy(publicUrl), ...(machine === undefined ? {} : { machine }) },
    own: seenBy(localUrl),
    askResolver: async (request) => {
      const addresses = await runtime.network.resolve(listeners.host, { signal: request.signal });
      return await resolver.service.fetch(request, { remote: formatAddress(at(addresses, 0), 0) });
    },
    ready: messaging.ready,
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/** Of all services only the setup node listens on no address. */
function purposeOf(name: ServiceName): ListenerPurpose {
  if (name !== "setup-node") return name;
  throw new TypeError("A setup node of an embedded network listens nowhere");
}
