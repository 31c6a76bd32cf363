/**
 * A whole network in one process on virtual time: every service, setup nodes and visors with their real parts, hosts
 * joined by a network in memory. One seed, one run.
 *
 * ```
 * host hub: messaging discovery, messaging server, transport discovery, route finder
 * host setup, setup2, …: setup nodes          host a, b, c, …: visors
 * ```
 */

import assert from "node:assert/strict";
import { generateSecretKey } from "../../lib/core/mod.ts";
import type { MessagingClient } from "../../lib/messaging/mod.ts";
import { ControlPlane } from "../../lib/network/control_plane.ts";
import { DEFAULT_PORTS, formatTicket } from "../../lib/network/mod.ts";
import type { ServiceName } from "../../lib/network/service_host.ts";
import type { Router } from "../../lib/routing/mod.ts";
import type { Runtime } from "../../lib/runtime/mod.ts";
import { createRouteFinderClient } from "../../lib/services/route_finder/mod.ts";
import type { SetupNodeLimits } from "../../lib/services/setup_node/mod.ts";
import { createTransportDiscoveryClient, type MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import type { SwitchLoop, TransportSummary, TransportTable } from "../../lib/transport/mod.ts";
import { at } from "../../lib/types/at.ts";
import type { PublicKey, SecretKey } from "../../lib/types/mod.ts";
import type { VisorParts } from "../../lib/visor/parts.ts";
import { startVisorWith } from "../../lib/visor/start.ts";
import type { Simulation } from "../fakes/mod.ts";

/** Where everything is on host `hub`. */
const URLS = {
  messagingDiscovery: "http://hub:9090",
  transportDiscovery: "http://hub:9091",
  routeFinder: "http://hub:9092",
} as const;

/** Where its services listen. */
const PORTS: Readonly<Record<ServiceName, number>> = { ...DEFAULT_PORTS, "setup-node": 9094 };

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
  readonly #setupHosts = new Map<string, AsyncDisposable>();
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
   * @param options `through` puts something between the node and its host; `limits`: how much it does
   */
  async addSetupNode(
    host: string,
    options: { readonly through?: (runtime: Runtime) => Runtime; readonly limits?: SetupNodeLimits } = {},
  ): Promise<PublicKey> {
    const key = await this.#startSetupNode(host, options);
    this.setupNodes.push(key);
    return key;
  }

  /** A setup node is gone for a while, and comes back. @param options `silent`: nobody was told that it went */
  async loseSetupNode(host: string, { ms, silent }: { readonly ms: number; readonly silent: boolean }): Promise<void> {
    this.sim.kill(host, { silent });
    await this.sim.run(async () => await this.#setupHosts.get(host)?.[Symbol.asyncDispose]());
    await this.sim.run(ms);
    this.sim.revive(host);
    await this.#startSetupNode(host);
  }

  async #startSetupNode(
    host: string,
    options: { readonly through?: (runtime: Runtime) => Runtime; readonly limits?: SetupNodeLimits } = {},
  ): Promise<PublicKey> {
    const plane = this.#own(this.#plane(host, options.through));
    this.#setupHosts.set(host, plane);
    const messaging = plane.join({ discovery: URLS.messagingDiscovery });
    plane.setupNode(options.limits === undefined ? {} : { limits: options.limits });
    await this.sim.run(messaging.ready);
    return plane.publicKey;
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
    const { autoTransport = false, setupNodes = this.setupNodes } = options;
    let parts: VisorParts | undefined;
    const storage = this.sim.storageFor(name);
    // Whoever ran there before has ended, or died with its host.
    storage.crash();
    const runtime = this.sim.runtimeFor(name);
    const visor = await this.sim.run(startVisorWith({
      runtime,
      storage,
      host: name,
      join: formatTicket({ ...URLS, setupNodes }),
      autoTransport,
    }, { wrapLoop: (loop) => this.#tap(name, loop), onParts: (made) => parts = made }));
    assert.ok(parts !== undefined);
    const { table: transports, messaging, loop, router } = parts;
    return this.#own({
      name,
      key: visor.publicKey,
      runtime,
      messaging,
      loop,
      transports,
      router,
      [Symbol.asyncDispose]: () => visor[Symbol.asyncDispose](),
    });
  }

  /** Joins two visors by a TCP transport and waits until the route finder knows it. */
  async join(a: SimVisor, b: SimVisor): Promise<TransportSummary> {
    const finder = createRouteFinderClient({ ...a.runtime, url: URLS.routeFinder });
    return await this.sim.run(async () => {
      const transport = await a.transports.add({ remoteKey: b.key, kind: "stcp", address: `${b.name}:${STCP_PORT}` });
      for (;;) {
        const found = await finder.findRoutes({ pairs: [[a.key, b.key]], minHops: 1, maxHops: 1 }).catch(() => [[]]);
        if (at(found, 0).length > 0) return transport;
        await new Promise<void>((resolve) => a.runtime.timers.after(100, resolve));
      }
    }, 60_000);
  }

  /** Starts visors and joins each with the next. */
  async line<const Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ [Index in keyof Names]: SimVisor }> {
    const visors: readonly SimVisor[] = await this.visors(...names);
    for (const [i, visor] of visors.slice(1).entries()) await this.join(at(visors, i), visor);
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
    const relay = this.#plane("hub");
    this.#relay = relay;
    const { secret } = this.#identity("hub");
    await (await relay.messagingServer({ secret, discovery: URLS.messagingDiscovery })).ready;
  }

  async #startServices(): Promise<void> {
    const services = this.#plane("hub");
    this.#services = services;
    await services.messagingDiscovery();
    const { service } = await services.transportDiscovery();
    const finder = await services.routeFinder(service.feed);
    await finder.service.ready;
  }

  /** Services of a host, which keep their records in memory and are reached by its name only. */
  #plane(host: string, through: (runtime: Runtime) => Runtime = (runtime) => runtime): ControlPlane {
    const { runtime, secret } = this.#identity(host);
    return new ControlPlane({
      runtime: through(runtime),
      secret,
      listen: (name, bind) => bind(`${host}:${PORTS[name]}`),
      databaseOf: () => "memory:",
    });
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
