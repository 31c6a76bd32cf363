/** The transports that the user wants. The data folder keeps them, and a restart brings them back. */

import { ClosedError, describeError, RefusedError } from "../../errors/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import { createKeyedSerial } from "../../services/http/mod.ts";
import type { TransportDiscoveryClient } from "../../services/transport_discovery/mod.ts";
import { type TransportSummary, type TransportTable, USER_LABEL } from "../../transport/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";
import type { KeptDocument } from "../kept_document.ts";
import { type NetworkTransport, networkViewOf, type TransportView, viewOf } from "./view.ts";
import type { RememberedTransports } from "./remembered.ts";
import type { WantedTransport } from "./wanted.ts";

/** The fewest digits of an id that a person may type. */
const SHORTEST_ID = 8;

/** How long a transport that a user asks for may take, ms. */
const ADD_WITHIN_MS = 15_000;

/** How to open a transport. */
export interface AddTransportOptions {
  /** `stcp`, `stcpr`, `dmsg`, `ws`, or the kind of another driver. */
  readonly kind: string;
  /** The address in the driver's form, such as `host:port`. Drivers that find a visor by its key need none. */
  readonly address?: string | undefined;
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal;
}

/** What transports are made of. */
export interface TransportsDeps {
  readonly runtime: Pick<Runtime, "timers" | "log">;
  readonly table: TransportTable;
  readonly discovery: Pick<TransportDiscoveryClient, "map">;
  /** The transports that are kept up, loaded. */
  readonly wanted: KeptDocument<readonly WantedTransport[]>;
  /** Those that others had opened. */
  readonly remembered: RememberedTransports;
}

/** See the top of the file. Disposing ends the dials for those that others had opened. */
export class TransportsPart implements AsyncDisposable {
  readonly #deps: TransportsDeps;
  /** Changes of one transport run one after the other. */
  readonly #inOrder = createKeyedSerial<string>();
  readonly #adding = new Set<Ends & { readonly cancel: AbortController }>();

  constructor(deps: TransportsDeps) {
    this.#deps = deps;
  }

  /** Opens the wanted transports again. A remote that is away is dialled until it answers. */
  async restore(): Promise<void> {
    const { runtime: { log }, table, wanted, remembered } = this.#deps;
    for (const { remote, type, address, label } of wanted.value) {
      const add = { remoteKey: remote, kind: type, label, keepTrying: true, ...(address !== undefined && { address }) };
      table.add(add).catch((error) => {
        log.warn("transport-not-restored", { remote: shortKey(remote), type, error: describeError(error) });
      });
    }
    await remembered.restore();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deps.remembered[Symbol.asyncDispose]();
  }

  list(): TransportView[] {
    return this.#deps.table.list().map(viewOf);
  }

  async network(): Promise<NetworkTransport[]> {
    const own = new Map(this.#deps.table.list().map((transport) => [transport.id, transport]));
    return (await this.#deps.discovery.map()).map((listed) => networkViewOf(listed, own.get(listed.id)));
  }

  /**
   * An address that is given is tried before it takes the place of a good one: a transport that is there is dialled anew.
   * When that fails, or cannot be kept, all is as it was.
   */
  async add(remote: PublicKey, { kind, address, signal }: AddTransportOptions): Promise<TransportView> {
    const adding = { remote, type: kind, cancel: new AbortController() };
    this.#adding.add(adding);
    const over = AbortSignal.any([adding.cancel.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      return await this.#inOrder(keyOf(adding), () => this.#add(remote, { kind, address, signal: over }));
    } finally {
      this.#adding.delete(adding);
    }
  }

  async remove(text: string): Promise<string> {
    const { table, wanted } = this.#deps;
    const named = text.length < SHORTEST_ID ? [] : table.list().filter(({ id }) => id.startsWith(text.toLowerCase()));
    const [transport] = named;
    if (transport === undefined || named.length > 1) {
      const why = transport === undefined ? "this visor has none of that id" : "several begin so; give more of it";
      throw new RefusedError("transport/not-found", `Remove the transport "${text}": ${why}`);
    }
    for (const adding of this.#adding) {
      if (!isSame(adding, transport)) continue;
      adding.cancel.abort(new ClosedError("transport/removed", "The transport was removed"));
    }
    return await this.#inOrder(keyOf(transport), async () => {
      await wanted.change((all) => all.filter((one) => !isSame(one, transport)));
      if (table.list().some(({ id }) => id === transport.id)) await table.remove(transport.id);
      return transport.id;
    });
  }

  /** Keys of all edges that discovery or we know of. */
  async knownKeys(): Promise<PublicKey[]> {
    const listed = await this.#deps.discovery.map().catch(() => []);
    return [...this.#deps.table.list().map(({ remote }) => remote), ...listed.flatMap(({ edges }) => edges)];
  }

  async #add(
    remote: PublicKey,
    { kind, address, signal }: AddTransportOptions & { readonly signal: AbortSignal },
  ): Promise<TransportView> {
    const { table, wanted } = this.#deps;
    const what = { remote, type: kind };
    const before = table.list().find((one) => isSame(one, what));
    const wantedBefore = wanted.value.find((one) => isSame(one, what));
    const isNew = address !== undefined && address !== wantedBefore?.address;
    if (before !== undefined && isNew) await table.remove(before.id);
    let isOpen = false;
    try {
      const transport = await this.#open({ ...what, address, label: USER_LABEL }, signal);
      isOpen = true;
      const kept = { ...wantedBefore, ...what, address: address ?? wantedBefore?.address, label: USER_LABEL };
      await wanted.change((all) => [...all.filter((one) => !isSame(one, what)), kept]);
      return viewOf(transport);
    } catch (error) {
      if (isOpen || isNew) await this.#putBack(before, { ...what, address: wantedBefore?.address });
      throw error;
    }
  }

  /** Restores a transport. One that the remote had dialled comes back by itself. */
  async #putBack(
    before: TransportSummary | undefined,
    { remote, type, address }: Pick<WantedTransport, "remote" | "type" | "address">,
  ): Promise<void> {
    const { runtime: { log }, table, wanted } = this.#deps;
    const now = table.list().find((one) => isSame(one, { remote, type }));
    if (now !== undefined) await table.remove(now.id);
    const isOurs = before?.initiator || wanted.value.some((one) => isSame(one, { remote, type }));
    if (before === undefined || !isOurs) return;
    await this.#open({ remote, type, address, label: before.label, keepTrying: true }).catch((error) => {
      log.warn("transport-not-restored", { remote: shortKey(remote), type, error: describeError(error) });
    });
  }

  async #open(
    { remote, type, address, ...options }: WantedTransport & { readonly keepTrying?: boolean },
    signal?: AbortSignal,
  ): Promise<TransportSummary> {
    const { runtime: { timers }, table } = this.#deps;
    const add = { ...options, remoteKey: remote, kind: type, ...(address === undefined ? {} : { address }) };
    return await withTimeout((signal) => table.add({ ...add, signal }), {
      timers,
      ms: ADD_WITHIN_MS,
      code: "transport/dial-timeout",
      message: `Open a transport to ${shortKey(remote)}`,
      signal,
    });
  }
}

type Ends = Pick<WantedTransport, "remote" | "type">;

function isSame(one: Ends, other: Ends): boolean {
  return one.remote === other.remote && one.type === other.type;
}

function keyOf({ remote, type }: Ends): string {
  return `${remote} ${type}`;
}
