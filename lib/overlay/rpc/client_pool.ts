/**
 * Keeps RPC clients for a while after a request, so that the next request to the same party need not open a messaging
 * stream: that takes two signatures, two Noise messages and a round trip through a messaging server, several times what
 * the call itself takes.
 *
 * ```
 * acquire ─► kept client of that party, or a fresh one ─► calls of one request ─► keep   (all went well)
 *                                                                             └─► close  (anything else)
 * ```
 *
 * Nothing changes on the wire, where a stream carries any number of calls until its client ends it (gob-rpc.md §3.2,
 * 3.3): v1.3 visors serve port 136 so. v1.3's own clients close a stream after its request (routing.md §5.1). Where the
 * serving side does, the end of the stream drops the client here; should the next request be on its way by then, its
 * first call sees the end instead of an answer and is made again on a fresh stream.
 */

import { ClosedError, UnavailableError } from "../../errors/mod.ts";
import { type Timers, withTimeout } from "../../runtime/mod.ts";
import { at } from "../../types/at.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import { RpcClient, type RpcMethod } from "./mod.ts";
import type { KeyedNetwork } from "../keyed_network.ts";

/** How long a client is kept for the next request, ms: well below the time after which the other side ends it. */
export const KEPT_MS = 15_000;

/** Clients kept in all; the oldest is closed first. */
const MAX_KEPT = 256;

/** Clients kept of one party, as many as a visor has route set-ups under way. */
const MAX_KEPT_PER_REMOTE = 4;

/** What a pool needs. */
export interface ClientPoolDeps {
  /** Opens streams. */
  readonly network: Pick<KeyedNetwork, "dial">;
  /** Where they lead to. */
  readonly port: Port;
  /** Ends what is kept for too long. */
  readonly timers: Timers;
}

/** Opens clients and keeps them. Disposing closes those that are kept; others are closed when their request ends. */
export class ClientPool implements Disposable {
  readonly #deps: ClientPoolDeps;
  /** Oldest first. */
  readonly #kept = new Set<KeptClient>();
  #disposed = false;

  /** Opens nothing by itself. */
  constructor(deps: ClientPoolDeps) {
    this.#deps = deps;
  }

  /** Clients waiting for a request. */
  get size(): number {
    return this.#kept.size;
  }

  /** Is a client of this party kept? Then {@link ClientPool.acquire} opens none. */
  keeps(remote: PublicKey): boolean {
    return this.#keptOf(remote) !== undefined;
  }

  /**
   * Takes a client for one request; nobody else uses it meanwhile.
   * @param options `signal` ends the wait for a fresh one; `isFresh`: none that was kept
   * @throws as the network's `dial`; the reason of `signal`
   */
  async acquire(
    remote: PublicKey,
    options: { readonly signal?: AbortSignal; readonly isFresh?: boolean } = {},
  ): Promise<ClientLease> {
    options.signal?.throwIfAborted();
    const kept = options.isFresh ? undefined : this.#keptOf(remote);
    if (kept !== undefined) this.#take(kept);
    return new ClientLease({
      client: kept?.client ?? await this.#open(remote, options),
      open: (again) => this.#open(remote, again),
      keep: (client) => this.#keep(remote, client),
      isKept: kept !== undefined,
      timers: this.#deps.timers,
    });
  }

  /** See the class. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const kept of this.#kept) this.#drop(kept);
  }

  async #open(remote: PublicKey, { signal }: { readonly signal?: AbortSignal }): Promise<RpcClient> {
    const { network, port } = this.#deps;
    const stream = await network.dial(remote, port, signal === undefined ? {} : { signal });
    if (signal?.aborted) stream.close();
    signal?.throwIfAborted();
    return new RpcClient(stream);
  }

  #keptOf(remote: PublicKey): KeptClient | undefined {
    return [...this.#kept].findLast((other) => other.remote === remote && !other.client.isClosed);
  }

  #keep(remote: PublicKey, client: RpcClient): void {
    if (this.#disposed || client.isClosed) return client.close();
    const cancel = this.#deps.timers.after(KEPT_MS, () => this.#drop(kept));
    const kept: KeptClient = { remote, client, cancel };
    this.#kept.add(kept);
    void client.ended.then(() => this.#take(kept));
    const own = [...this.#kept].filter((other) => other.remote === remote);
    if (own.length > MAX_KEPT_PER_REMOTE) this.#drop(at(own, 0));
    else if (this.#kept.size > MAX_KEPT) this.#drop(this.#kept.values().next().value!);
  }

  #take(kept: KeptClient): void {
    this.#kept.delete(kept);
    kept.cancel();
  }

  #drop(kept: KeptClient): void {
    this.#take(kept);
    kept.client.close();
  }
}

/** A client during one request. Disposing closes it, unless it was given back before with {@link ClientLease.keep}. */
export class ClientLease implements Disposable {
  readonly #parts: LeaseParts;
  #client: RpcClient;
  /** It was used by an earlier request, and not yet by this one: whether it still works is not known. */
  #isUntried: boolean;
  #hasFailed = false;
  #isReturned = false;

  /** Made by the pool. */
  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.#client = parts.client;
    this.#isUntried = parts.isKept;
  }

  /**
   * Calls a method. The first call over a client that was kept is made twice when need be: its stream may have ended in
   * the meantime, which is known by the end of the stream, or by silence where the method cannot take long.
   * @param method what to call
   * @param argument what it gets
   * @param options `signal` ends the wait; `doubtAfterMs`: so long may the first call over a kept client take before a
   *   fresh one is tried. Default: any time
   * @throws as `RpcClient.call`; as the network's `dial` when a fresh stream is needed
   */
  async call<Argument, Reply>(
    method: RpcMethod<Argument, Reply>,
    argument: Argument,
    options: { readonly signal?: AbortSignal; readonly doubtAfterMs?: number } = {},
  ): Promise<Reply> {
    const { signal, doubtAfterMs } = options;
    const isUntried = this.#isUntried;
    this.#isUntried = false;
    const call = (own: { readonly signal?: AbortSignal }): Promise<Reply> => this.#client.call(method, argument, own);
    const limits = signal === undefined ? {} : { signal };
    try {
      if (!isUntried) return await call(limits);
      try {
        if (doubtAfterMs === undefined) return await call(limits);
        return await withTimeout((ended) => call({ signal: ended }), {
          timers: this.#parts.timers,
          ms: doubtAfterMs,
          code: "setup/kept-silent",
          message: `Call ${method.name} over a kept stream`,
          signal,
        });
      } catch (error) {
        if (signal?.aborted || !isEnd(error)) throw error;
        this.#client.close();
        this.#client = await this.#parts.open(limits);
        return await call(limits);
      }
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  /** All went well: gives the client back for the next request. After a failed call it is closed; a reply may be late. */
  keep(): void {
    if (this.#isReturned) return;
    this.#isReturned = true;
    if (this.#hasFailed) this.#client.close();
    else this.#parts.keep(this.#client);
  }

  /** See the class. Harmless when repeated. */
  [Symbol.dispose](): void {
    if (this.#isReturned) return;
    this.#isReturned = true;
    this.#client.close();
  }
}

interface KeptClient {
  readonly remote: PublicKey;
  readonly client: RpcClient;
  /** Stops its clock. */
  readonly cancel: () => void;
}

interface LeaseParts {
  readonly client: RpcClient;
  readonly isKept: boolean;
  readonly timers: Timers;
  readonly open: (options: { readonly signal?: AbortSignal }) => Promise<RpcClient>;
  readonly keep: (client: RpcClient) => void;
}

/** Did the stream end, or keep silent, as opposed to an answer that we do not like? */
function isEnd(error: unknown): boolean {
  return error instanceof UnavailableError || error instanceof ClosedError;
}
