/**
 * The services of a network, put together: what each is made of, where it listens, at which key it answers, and in which
 * order all of it ends. An embedded network runs all of them, a role of the command line one, a test those that it needs.
 * Tested in tests/visor/embedding_test.ts and tests/e2e/services_test.ts.
 */

import { publicKeyOf } from "../core/mod.ts";
import {
  createMessagingServer,
  type MessagingClient,
  type MessagingServer,
  type MessagingServerLimits,
} from "../messaging/mod.ts";
import type { Http, HttpServer, Network } from "../runtime/mod.ts";
import { type AddressResolver, createAddressResolver } from "../services/address_resolver/mod.ts";
import { createStatusPages, type HttpService } from "../services/http/mod.ts";
import { joinMessaging } from "./join_messaging.ts";
import { createMessagingDiscovery, createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";
import { createRouteFinder, type RouteFinder } from "../services/route_finder/mod.ts";
import { createSetupNode, type SetupNode, type SetupNodeLimits } from "../services/setup_node/mod.ts";
import {
  createTransportDiscovery,
  type TransportDiscovery,
  type TransportFeed,
} from "../services/transport_discovery/mod.ts";
import type { SecretKey } from "../types/mod.ts";
import { ServiceHost, type ServiceHostDeps } from "./service_host.ts";

/** A session with every server: a client that knows only one server must find a discovery there (dmsg.md §7.3). */
const ALL_SERVERS = 64;

/** What a control plane is made of. */
export interface ControlPlaneDeps extends Omit<ServiceHostDeps, "publicKey"> {
  /** Of the key at which its services answer, and its setup node is reached; the caller's. */
  readonly secret: SecretKey;
}

/** A service that answers HTTP, and where. */
export interface Served<Service extends HttpService = HttpService> {
  readonly service: Service;
  readonly server: HttpServer;
}

/** Which messaging network it joins. */
export interface JoinOptions {
  /** Of the discovery; or the discovery itself, which finds its servers in its own records. */
  readonly discovery: string | HttpService;
  /** How servers are dialled; default: the runtime's. */
  readonly network?: Network;
}

/** See the top of the file. Disposing ends it all, the services before the servers that their answers go through. */
export class ControlPlane implements AsyncDisposable {
  readonly #deps: ControlPlaneDeps;
  readonly #host: ServiceHost;
  readonly #stack = new AsyncDisposableStack();
  #messaging: MessagingClient | undefined;

  /** Runs nothing yet. */
  constructor(deps: ControlPlaneDeps) {
    this.#deps = deps;
    this.#host = this.#stack.use(new ServiceHost({ ...hostDepsOf(deps), publicKey: publicKeyOf(deps.secret) }));
  }

  /** The key at which its services answer. */
  get publicKey(): ServiceHost["publicKey"] {
    return this.#host.publicKey;
  }

  /** Starts a messaging discovery. @param options as of the service */
  async messagingDiscovery(options: { readonly allowLoopback?: boolean } = {}): Promise<Served> {
    const name = "messaging-discovery";
    return await this.#serve(
      name,
      await createMessagingDiscovery({ ...this.#host.partsWithRecordsOf(name), ...options }),
    );
  }

  /** Starts a transport discovery; its `feed` is for a route finder in the same process. */
  async transportDiscovery(): Promise<Served<TransportDiscovery>> {
    const name = "transport-discovery";
    return await this.#serve(name, await createTransportDiscovery(this.#host.partsWithRecordsOf(name)));
  }

  /** Starts a route finder. @param feed of the map */
  async routeFinder(feed: TransportFeed): Promise<Served<RouteFinder>> {
    const name = "route-finder";
    const finder = createRouteFinder({ ...this.#host.partsOf(name), feed });
    this.#host.watch(() => finder.problem);
    return await this.#serve(name, finder);
  }

  /** Starts an address resolver, over UDP too. @param options as of the service */
  async addressResolver(options: { readonly allowLoopback?: boolean } = {}): Promise<Served<AddressResolver>> {
    const name = "address-resolver";
    const served = await this.#serve(
      name,
      await createAddressResolver({ ...this.#host.partsWithRecordsOf(name), ...options }),
    );
    await served.service.bindOverUdp(served.server.address);
    return served;
  }

  /**
   * Starts a messaging server.
   * @param options `secret` stays the caller's; `publicAddress` tells what clients connect to, from the address that is
   * listened on
   */
  async messagingServer(
    options: {
      readonly secret: SecretKey;
      readonly discovery: string;
      readonly publicAddress?: (address: string) => string | undefined;
      readonly limits?: MessagingServerLimits;
    },
  ): Promise<MessagingServer> {
    const { runtime, listen } = this.#deps;
    const discovery = createMessagingDiscoveryClient({
      http: runtime.http,
      timers: runtime.timers,
      url: options.discovery,
    });
    const server = this.#stack.use(
      await listen("messaging-server", async (address) => {
        const publicAddress = options.publicAddress?.(address);
        return await createMessagingServer({
          runtime,
          secret: options.secret,
          listen: address,
          discovery,
          ...(publicAddress === undefined ? {} : { publicAddress }),
          ...(options.limits === undefined ? {} : { limits: options.limits }),
        });
      }),
    );
    this.#host.watch(() => server.problem);
    return server;
  }

  /**
   * Joins the messaging network: from now on the services that have been started answer at the key.
   * @throws {RefusedError} as `joinMessaging`
   */
  join({ discovery, network }: JoinOptions): MessagingClient {
    const { runtime, secret } = this.#deps;
    const isUrl = typeof discovery === "string";
    const http: Http = isUrl ? runtime.http : { ...runtime.http, fetch: (request) => discovery.fetch(request) };
    const { messaging } = joinMessaging({
      runtime: { ...runtime, http, network: network ?? runtime.network },
      secret,
      url: isUrl ? discovery : "http://localhost",
      ...(isUrl ? {} : { minSessions: ALL_SERVERS }),
    });
    this.#messaging = this.#stack.use(messaging);
    this.#host.watch(() => messaging.problem);
    this.#host.answerOver(messaging);
    return messaging;
  }

  /** Starts a setup node at the key, once it has joined. */
  setupNode(options: { readonly limits?: SetupNodeLimits } = {}): SetupNode {
    const messaging = this.#messaging;
    if (messaging === undefined) throw new TypeError("A setup node is reached over messaging: join first");
    return this.#stack.use(createSetupNode({ runtime: this.#deps.runtime, messaging, ...options }));
  }

  /**
   * Has a service that speaks no HTTP otherwise tell of itself at the key.
   * @param options `address`: on which it listens for that, too
   * @returns where, when it listens
   */
  async statusPages(options: {
    readonly name: "setup-node" | "messaging-server";
    readonly title: string;
    readonly address: string | undefined;
  }): Promise<HttpServer | undefined> {
    const { name, title, address } = options;
    const { runtime, ...settings } = this.#host.partsOf(name);
    const fetch = createStatusPages({ name, title, runtime, settings });
    const service: HttpService = { fetch, close: () => Promise.resolve() };
    if (address !== undefined) return await this.#host.serveAt(address, { name, service });
    this.#host.host(name, service);
    return undefined;
  }

  /** The start has failed: disposing removes the databases that it made, so that it leaves nothing behind. */
  discard(): void {
    this.#host.discard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The servers wait for the services' event streams, and the messaging client needs the servers to say goodbye.
    await this.#host.close();
    await this.#stack.disposeAsync();
  }

  async #serve<Service extends HttpService>(
    name: Parameters<ServiceHost["serve"]>[0],
    service: Service,
  ): Promise<Served<Service>> {
    return { service, server: await this.#host.serve(name, service) };
  }
}

/** All but the secret key. */
function hostDepsOf(deps: ControlPlaneDeps): Omit<ServiceHostDeps, "publicKey"> {
  const { runtime, listen, databaseOf, portOf, rateLimit, trustsProxy } = deps;
  return { runtime, listen, databaseOf, portOf, rateLimit, trustsProxy };
}
