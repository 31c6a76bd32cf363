/** A visor's transports as its user sees them: what is wanted is kept in the data folder and comes back after a restart. */

import type { WantedTransport } from "../config/visor_config.ts";
import { describeError, RefusedError } from "../../errors/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import type { MapTransport, TransportDiscoveryClient } from "../../services/transport_discovery/mod.ts";
import { type TransportSummary, type TransportTable, USER_LABEL } from "../../transport/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";
import type { DataFolder } from "../data_folder.ts";
import type { NetworkTransport, TransportView } from "../views.ts";

/** The wire's word for TCP by address book. */
export const STCP_TYPE = "stcp";

/** The wire's word for TCP by address resolver. */
export const STCPR_TYPE = "stcpr";

/** The wire's word for transports through messaging servers. */
export const MESSAGING_TYPE = "dmsg";

/** Our word for transports over WebSockets. */
export const WS_TYPE = "ws";

/** An id may be shortened to so many digits where a person types it. */
const SHORTEST_ID = 8;

/** How long a transport that a user or dial asks for may take, ms. */
const ADD_WITHIN_MS = 15_000;

/** How long a dial without a route tries TCP before it takes a messaging server, ms: three lost SYNs, or a slow handshake. */
const TRY_TCP_WITHIN_MS = 4_000;

/** How to open a transport. */
export interface AddTransportOptions {
  /** `stcp`, `stcpr`, `dmsg`, `ws`, or the kind of a driver from outside. */
  readonly type: string;
  /** In the driver's form, such as `host:port`; drivers that find peers by their key need none. */
  readonly address?: string | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** See the top of the file. Usable once a table was attached. */
export class VisorTransports {
  readonly #runtime: Pick<Runtime, "timers" | "log">;
  readonly #folder: DataFolder;
  readonly #localKey: PublicKey;
  readonly #addressBook: Readonly<Record<PublicKey, string>>;
  #wanted: WantedTransport[] = [];
  #table!: TransportTable;
  #discovery!: TransportDiscoveryClient;
  #hasResolver = false;

  constructor(deps: {
    readonly runtime: Runtime;
    readonly folder: DataFolder;
    readonly localKey: PublicKey;
    /** Addresses of TCP transports by key. */
    readonly addressBook?: Readonly<Record<PublicKey, string>> | undefined;
  }) {
    this.#runtime = deps.runtime;
    this.#folder = deps.folder;
    this.#localKey = deps.localKey;
    this.#addressBook = deps.addressBook ?? {};
  }

  /** Gives the table that does the work, and says whether peers can be found by address resolver. */
  attach(
    table: TransportTable,
    options: { readonly discovery: TransportDiscoveryClient; readonly hasResolver: boolean },
  ): void {
    this.#table = table;
    this.#discovery = options.discovery;
    this.#hasResolver = options.hasResolver;
  }

  /** The address book. */
  addressOf(type: string, remote: PublicKey): string | undefined {
    const wanted = this.#wanted.find((wanted) => wanted.type === type && wanted.remote === remote)?.address;
    return wanted ?? (type === STCP_TYPE ? this.#addressBook[remote] : undefined);
  }

  /** Brings back what was wanted; whoever is away is dialled until it answers. */
  async restore(): Promise<void> {
    this.#wanted = await this.#folder.wantedTransports();
    for (const { remote, type, address, label } of this.#wanted) {
      const add = { remoteKey: remote, kind: type, label, keepTrying: true, ...(address !== undefined && { address }) };
      this.#table.add(add).catch((error) => {
        this.#runtime.log.warn("transport-not-restored", {
          remote: shortKey(remote),
          type,
          error: describeError(error),
        });
      });
    }
  }

  list(): TransportView[] {
    return this.#table.list().map(viewOf);
  }

  /** All transports that discovery lists, as their edges told it; of our own we know better and sooner. */
  async network(): Promise<NetworkTransport[]> {
    const own = new Map(this.#table.list().map((transport) => [transport.id, transport]));
    return (await this.#discovery.map()).map((listed) => networkViewOf(listed, own.get(listed.id)));
  }

  async add(remote: PublicKey, { type, address, signal }: AddTransportOptions): Promise<TransportView> {
    const label = USER_LABEL;
    const transport = await withTimeout(
      (signal) =>
        this.#table.add({ remoteKey: remote, kind: type, label, signal, ...(address !== undefined && { address }) }),
      {
        timers: this.#runtime.timers,
        ms: ADD_WITHIN_MS,
        code: "transport/dial-timeout",
        message: `Open a transport to ${shortKey(remote)}`,
        signal,
      },
    );
    await this.#keep([...this.#without(remote, type), { remote, type, address, label }]);
    return viewOf(transport);
  }

  async remove(text: string): Promise<string> {
    const named = text.length < SHORTEST_ID
      ? []
      : this.#table.list().filter(({ id }) => id.startsWith(text.toLowerCase()));
    const [transport] = named;
    if (transport === undefined || named.length > 1) {
      const why = transport === undefined ? "this visor has none of that id" : "several begin so; give more of it";
      throw new RefusedError("transport/not-found", `Remove the transport "${text}": ${why}`);
    }
    await this.#table.remove(transport.id);
    await this.#keep(this.#without(transport.remote, transport.type));
    return transport.id;
  }

  /**
   * What a dial without a route does: TCP, when the visor is known to accept it; else a transport through a messaging
   * server, which reaches everybody. It is not kept.
   */
  async openAutomatic(remote: PublicKey, signal: AbortSignal): Promise<void> {
    if (this.#hasResolver && await this.#openTcp(remote, signal)) return;
    await this.#table.add({ remoteKey: remote, kind: MESSAGING_TYPE, label: "automatic", signal });
  }

  /** Keys of all edges that discovery or we know of. */
  async knownKeys(): Promise<PublicKey[]> {
    const listed = await this.#discovery.map().catch(() => []);
    return [this.#localKey, ...this.#table.list().map(({ remote }) => remote), ...listed.flatMap(({ edges }) => edges)];
  }

  /** A visor that the resolver does not list fails at once. */
  async #openTcp(remote: PublicKey, signal: AbortSignal): Promise<boolean> {
    try {
      await withTimeout(
        (signal) => this.#table.add({ remoteKey: remote, kind: STCPR_TYPE, label: "automatic", signal }),
        {
          timers: this.#runtime.timers,
          ms: TRY_TCP_WITHIN_MS,
          code: "transport/dial-timeout",
          message: `Open a TCP transport to ${shortKey(remote)}`,
          signal,
        },
      );
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#runtime.log.debug("no-tcp-transport", { remote: shortKey(remote), error: describeError(error) });
      return false;
    }
  }

  #without(remote: PublicKey, type: string): WantedTransport[] {
    return this.#wanted.filter((wanted) => wanted.remote !== remote || wanted.type !== type);
  }

  async #keep(wanted: WantedTransport[]): Promise<void> {
    this.#wanted = wanted;
    await this.#folder.saveWantedTransports(wanted);
  }
}

function networkViewOf(listed: MapTransport, own: TransportSummary | undefined): NetworkTransport {
  const { id, type, edges, throughputMBps, resetsPerHour } = listed;
  const status = own === undefined ? listed.status ?? "unknown" : own.up ? "working" : "not-working";
  const since = own?.since ?? listed.since;
  const latencyMs = own?.latencyMs ?? listed.latencyMs;
  return {
    id,
    type,
    edges,
    status,
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(throughputMBps === undefined ? {} : { throughputMBps }),
    ...(resetsPerHour === undefined ? {} : { resetsPerHour }),
  };
}

/** A transport as users see it. */
export function viewOf(transport: TransportSummary): TransportView {
  const { id, type, remote, label, up, latencyMs, sentBytes, receivedBytes, since } = transport;
  return {
    id,
    type,
    remote,
    label,
    up,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    sentBytes,
    receivedBytes,
    since: new Date(since).toISOString(),
  };
}
