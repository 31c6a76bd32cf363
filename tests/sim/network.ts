/**
 * A whole network in one process on virtual time: every service, setup nodes and visors with their real parts, hosts
 * joined by a network in memory. One seed, one run.
 *
 * ```
 * host hub: messaging discovery, messaging server, transport discovery, route finder
 * host setup, setup2, …: setup nodes          host a, b, c, …: visors
 * ```
 */

import { generateSecretKey, publicKeyOf } from "../../lib/core/mod.ts";
import { createMessagingClient, createMessagingServer, type MessagingClient } from "../../lib/messaging/mod.ts";
import { createRouter, type Router } from "../../lib/routing/mod.ts";
import type { Runtime } from "../../lib/runtime/mod.ts";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
} from "../../lib/services/messaging_discovery/mod.ts";
import { createRouteFinder, createRouteFinderClient } from "../../lib/services/route_finder/mod.ts";
import { createSetupNode } from "../../lib/services/setup_node/mod.ts";
import {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  type MapTransport,
} from "../../lib/services/transport_discovery/mod.ts";
import {
  createMessagingDriver,
  createStcpDriver,
  createSwitchLoop,
  createTransportTable,
  type SwitchLoop,
  type TransportSummary,
  type TransportTable,
} from "../../lib/transport/mod.ts";
import type { PublicKey, SecretKey } from "../../lib/types/mod.ts";
import type { Simulation } from "../fakes/mod.ts";

/** Where everything is on host `hub`. */
const URLS = {
  messagingDiscovery: "http://hub:9090",
  transportDiscovery: "http://hub:9091",
  routeFinder: "http://hub:9092",
} as const;

/** Where visors accept stcp transports. */
const STCP_PORT = 7777;

/** A running visor, without its apps. */
export interface SimVisor extends AsyncDisposable {
  /** Its host. */
  readonly name: string;
  readonly key: PublicKey;
  readonly runtime: Runtime;
  readonly messaging: MessagingClient;
  readonly loop: SwitchLoop;
  readonly transports: TransportTable;
  readonly router: Router;
}

/** How a visor differs from the others. */
export interface SimVisorOptions {
  /** Default: all setup nodes of the network. */
  readonly setupNodes?: readonly PublicKey[];
  /** Opens messaging transports by itself when a dial finds no route. Default false. */
  readonly autoTransport?: boolean;
}

/** What a network may be told. */
export interface SimNetworkOptions {
  /** Stands between each visor's transports and its switch, for tests that listen there. */
  readonly tap?: (host: string, loop: SwitchLoop) => SwitchLoop;
}

/** See the top of the file. Disposing ends everything. */
export class SimNetwork implements AsyncDisposable {
  readonly sim: Simulation;
  readonly #tap: NonNullable<SimNetworkOptions["tap"]>;
  readonly setupNodes: PublicKey[] = [];
  readonly #secrets = new Map<string, SecretKey>();
  /** Ended in the opposite order. */
  readonly #parts: AsyncDisposable[] = [];
  /** What serves HTTP on the hub. */
  #services: AsyncDisposable | undefined;
  /** The messaging server there. */
  #relay: AsyncDisposable | undefined;

  private constructor(sim: Simulation, { tap = (_, loop) => loop }: SimNetworkOptions) {
    this.sim = sim;
    this.#tap = tap;
  }

  /** Starts the services and one setup node. */
  static async create(sim: Simulation, options: SimNetworkOptions = {}): Promise<SimNetwork> {
    const network = new SimNetwork(sim, options);
    await network.#startHub();
    await network.addSetupNode("setup");
    return network;
  }

  /** The discoveries and the route finder come back with nothing in their stores. */
  async loseDiscoveries(): Promise<void> {
    await this.sim.run(async () => {
      await this.#services?.[Symbol.asyncDispose]();
      await this.#startServices();
    });
  }

  /** The hub is gone without a word for a while, and comes back with nothing in its stores. */
  async loseHub(ms: number): Promise<void> {
    this.sim.kill("hub");
    await this.sim.run(async () => await this.#relay?.[Symbol.asyncDispose]());
    await this.sim.run(ms);
    this.sim.revive("hub");
    await this.loseDiscoveries();
    await this.sim.run(this.#startRelay());
  }

  /**
   * Starts a setup node on a host of its own; visors made later trust it.
   * @param options `through` puts something between the node and its host
   */
  async addSetupNode(
    host: string,
    options: { readonly through?: (runtime: Runtime) => Runtime } = {},
  ): Promise<PublicKey> {
    const { runtime: own, secret } = this.#identity(host);
    const runtime = options.through?.(own) ?? own;
    const messaging = this.#own(
      createMessagingClient({ runtime, secret, discovery: this.#messagingDiscovery(runtime) }),
    );
    this.#own(createSetupNode({ runtime, messaging }));
    await this.sim.run(messaging.ready);
    this.setupNodes.push(messaging.publicKey);
    return messaging.publicKey;
  }

  /** Starts visors; they are ready to be dialled, and have no transports. */
  async visors<const Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ [Index in keyof Names]: SimVisor }> {
    const visors: SimVisor[] = [];
    for (const name of names) visors.push(await this.visor(name));
    return visors as { [Index in keyof Names]: SimVisor };
  }

  /** Starts one visor. Again on the same host, it is the same visor after a restart. */
  async visor(name: string, options: SimVisorOptions = {}): Promise<SimVisor> {
    const { runtime, secret } = this.#identity(name);
    const key = publicKeyOf(secret);
    const messaging = createMessagingClient({ runtime, secret, discovery: this.#messagingDiscovery(runtime) });
    const loop = this.#tap(name, createSwitchLoop({ runtime, localKey: key }));
    const transports = createTransportTable({
      runtime,
      secret,
      loop,
      drivers: [createStcpDriver(runtime), createMessagingDriver({ messaging })],
      discovery: createTransportDiscoveryClient({ ...runtime, url: URLS.transportDiscovery, secret }),
      addressOf: () => undefined,
    });
    const router = createRouter({
      runtime,
      secret,
      switchLoop: loop,
      transports,
      messaging,
      setupNodes: options.setupNodes ?? this.setupNodes,
      routeFinder: createRouteFinderClient({ ...runtime, url: URLS.routeFinder }),
      ...(options.autoTransport
        ? {
          ensureTransport: async (remoteKey: PublicKey, signal: AbortSignal): Promise<void> =>
            void await transports.add({ remoteKey, kind: "dmsg", label: "automatic", signal }),
        }
        : {}),
    });
    const visor: SimVisor = {
      name,
      key,
      runtime,
      messaging,
      loop,
      transports,
      router,
      async [Symbol.asyncDispose](): Promise<void> {
        await router.close();
        await transports[Symbol.asyncDispose]();
        await loop[Symbol.asyncDispose]();
        await messaging[Symbol.asyncDispose]();
      },
    };
    this.#own(visor);
    await this.sim.run(async () => {
      await messaging.ready;
      await transports.listen("stcp", `${name}:${STCP_PORT}`);
      await transports.listen("dmsg", "");
    });
    return visor;
  }

  /** Joins two visors by a TCP transport and waits until the route finder knows it. */
  async join(a: SimVisor, b: SimVisor): Promise<TransportSummary> {
    const finder = createRouteFinderClient({ ...a.runtime, url: URLS.routeFinder });
    return await this.sim.run(async () => {
      const transport = await a.transports.add({ remoteKey: b.key, kind: "stcp", address: `${b.name}:${STCP_PORT}` });
      for (;;) {
        const found = await finder.findRoutes({ pairs: [[a.key, b.key]], minHops: 1, maxHops: 1 }).catch(() => [[]]);
        if (found[0]!.length > 0) return transport;
        await new Promise<void>((resolve) => a.runtime.timers.after(100, resolve));
      }
    }, 60_000);
  }

  /** Starts visors and joins each with the next. */
  async line<const Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ [Index in keyof Names]: SimVisor }> {
    const visors: readonly SimVisor[] = await this.visors(...names);
    for (const [i, visor] of visors.slice(1).entries()) await this.join(visors[i]!, visor);
    return visors as { [Index in keyof Names]: SimVisor };
  }

  /** The map as the transport discovery tells it to a host. */
  async map(host: string): Promise<MapTransport[]> {
    const { runtime, secret } = this.#identity(host);
    const client = createTransportDiscoveryClient({ ...runtime, url: URLS.transportDiscovery, secret });
    return await this.sim.run(client.map());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.reverse()) await this.sim.run(async () => await part[Symbol.asyncDispose]());
  }

  async #startHub(): Promise<void> {
    // Its key is wiped after what uses it has ended.
    this.#identity("hub");
    this.#own({ [Symbol.asyncDispose]: async () => await this.#services?.[Symbol.asyncDispose]() });
    this.#own({ [Symbol.asyncDispose]: async () => await this.#relay?.[Symbol.asyncDispose]() });
    await this.sim.run(async () => {
      await this.#startServices();
      await this.#startRelay();
    });
  }

  async #startRelay(): Promise<void> {
    const { runtime, secret } = this.#identity("hub");
    const discovery = this.#messagingDiscovery(runtime);
    const server = await createMessagingServer({ runtime, secret, listen: "hub:8081", discovery });
    this.#relay = server;
    await server.ready;
  }

  async #startServices(): Promise<void> {
    const runtime = this.sim.runtimeFor("hub");
    const stack = new AsyncDisposableStack();
    this.#services = stack;
    const discovery = await createMessagingDiscovery({ runtime });
    const transports = await createTransportDiscovery({ runtime });
    const finder = createRouteFinder({ runtime, feed: transports.feed });
    for (
      const [address, service] of [["hub:9090", discovery], ["hub:9091", transports], ["hub:9092", finder]] as const
    ) {
      const server = await runtime.http.serve(address, (...request) => service.fetch(...request));
      stack.defer(async () => {
        await service.close();
        await server.close();
      });
    }
    await finder.ready;
  }

  #messagingDiscovery(runtime: Runtime): ReturnType<typeof createMessagingDiscoveryClient> {
    return createMessagingDiscoveryClient({ ...runtime, url: URLS.messagingDiscovery });
  }

  #identity(host: string): { runtime: Runtime; secret: SecretKey } {
    const runtime = this.sim.runtimeFor(host);
    const known = this.#secrets.get(host);
    if (known !== undefined) return { runtime, secret: known };
    const secret = generateSecretKey(runtime.random);
    this.#secrets.set(host, secret);
    this.#own({
      [Symbol.asyncDispose](): Promise<void> {
        secret[Symbol.dispose]();
        return Promise.resolve();
      },
    });
    return { runtime, secret };
  }

  #own<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
