/** A visor's transports as its user sees them: what is wanted is kept in the data folder and comes back after a restart. */

import { describeError, RefusedError } from "../../errors/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import type { TransportDiscoveryClient } from "../../services/transport_discovery/mod.ts";
import { type TransportTable, USER_LABEL } from "../../transport/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";
import type { KeptDocument } from "../kept_document.ts";
import { type NetworkTransport, networkViewOf, type TransportView, viewOf } from "./view.ts";
import type { WantedTransport } from "./wanted.ts";

/** An id may be shortened to so many digits where a person types it. */
const SHORTEST_ID = 8;

/** How long a transport that a user asks for may take, ms. */
const ADD_WITHIN_MS = 15_000;

/** How to open a transport. */
export interface AddTransportOptions {
  /** `stcp`, `stcpr`, `dmsg`, `ws`, or the kind of a driver from outside. */
  readonly type: string;
  /** In the driver's form, such as `host:port`; drivers that find peers by their key need none. */
  readonly address?: string | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** What transports are made of. */
export interface TransportsDeps {
  readonly runtime: Pick<Runtime, "timers" | "log">;
  readonly table: TransportTable;
  readonly discovery: Pick<TransportDiscoveryClient, "map">;
  /** Those that are kept up, loaded. */
  readonly wanted: KeptDocument<readonly WantedTransport[]>;
}

/** See the top of the file. */
export class TransportsPart {
  readonly #deps: TransportsDeps;

  constructor(deps: TransportsDeps) {
    this.#deps = deps;
  }

  /** Brings back what was wanted; whoever is away is dialled until it answers. */
  restore(): Promise<void> {
    const { runtime: { log }, table, wanted } = this.#deps;
    for (const { remote, type, address, label } of wanted.value) {
      const add = { remoteKey: remote, kind: type, label, keepTrying: true, ...(address !== undefined && { address }) };
      table.add(add).catch((error) => {
        log.warn("transport-not-restored", { remote: shortKey(remote), type, error: describeError(error) });
      });
    }
    return Promise.resolve();
  }

  list(): TransportView[] {
    return this.#deps.table.list().map(viewOf);
  }

  async network(): Promise<NetworkTransport[]> {
    const own = new Map(this.#deps.table.list().map((transport) => [transport.id, transport]));
    return (await this.#deps.discovery.map()).map((listed) => networkViewOf(listed, own.get(listed.id)));
  }

  async add(remote: PublicKey, { type, address, signal }: AddTransportOptions): Promise<TransportView> {
    const { runtime: { timers }, table, wanted } = this.#deps;
    const label = USER_LABEL;
    const transport = await withTimeout(
      (signal) =>
        table.add({ remoteKey: remote, kind: type, label, signal, ...(address !== undefined && { address }) }),
      {
        timers,
        ms: ADD_WITHIN_MS,
        code: "transport/dial-timeout",
        message: `Open a transport to ${shortKey(remote)}`,
        signal,
      },
    );
    await wanted.change((all) => [...without(all, { remote, type }), { remote, type, address, label }]);
    return viewOf(transport);
  }

  async remove(text: string): Promise<string> {
    const { table, wanted } = this.#deps;
    const named = text.length < SHORTEST_ID ? [] : table.list().filter(({ id }) => id.startsWith(text.toLowerCase()));
    const [transport] = named;
    if (transport === undefined || named.length > 1) {
      const why = transport === undefined ? "this visor has none of that id" : "several begin so; give more of it";
      throw new RefusedError("transport/not-found", `Remove the transport "${text}": ${why}`);
    }
    await wanted.change((all) => without(all, transport));
    await table.remove(transport.id);
    return transport.id;
  }

  /** Keys of all edges that discovery or we know of. */
  async knownKeys(): Promise<PublicKey[]> {
    const listed = await this.#deps.discovery.map().catch(() => []);
    return [...this.#deps.table.list().map(({ remote }) => remote), ...listed.flatMap(({ edges }) => edges)];
  }
}

function without(
  all: readonly WantedTransport[],
  { remote, type }: Pick<WantedTransport, "remote" | "type">,
): WantedTransport[] {
  return all.filter((wanted) => wanted.remote !== remote || wanted.type !== type);
}
