/**
 * Which routes a dial tries, best first. A path that was asked for is followed to the letter; otherwise a transport of
 * our own to the remote visor comes first, then what the route finder knows. v1.3 tries the finder's first answer only
 * (routing.md §8.1).
 *
 * Both directions of a connection take the same transports: so one question to the finder is enough, and each end
 * notices when the other's path breaks.
 */

import { hasCode, RefusedError, UnavailableError } from "../errors/mod.ts";
import { type Clock, sleep, type Timers } from "../runtime/mod.ts";
import type { RouteFinderClient } from "../services/route_finder/mod.ts";
import type { TransportTable } from "../transport/mod.ts";
import { type Hop, type PublicKey, shortKey, type TransportId } from "../types/mod.ts";

/** Longer routes are not asked for, which spares the route finder (routing.md §10.3). */
export const DEFAULT_MAX_HOPS = 5;

/** How long a dial goes on asking after it opened a transport by itself: discovery and finder must learn of it first. */
const CATCH_UP = { limitMs: 5_000, intervalMs: 250 } as const;

/** The type of transports that go through a messaging server, and so are the slowest. */
const MESSAGING_TYPE = "dmsg";

/** Both directions of a connection. */
export interface Route {
  /** From here to the remote visor. */
  readonly forward: readonly Hop[];
  /** The way back. */
  readonly reverse: readonly Hop[];
}

/** What a dial may ask of its route. */
export interface RouteWish {
  /** Exactly these visors, after us, the destination last. */
  readonly path?: readonly PublicKey[];
  /** Not shorter, 1–50; default 1. */
  readonly minHops?: number;
  /** Not longer, 1–50; default {@link DEFAULT_MAX_HOPS}, or `minHops` when that is more. */
  readonly maxHops?: number;
}

/** What the choice needs. */
export interface RouteChoiceDeps {
  /** The time. */
  readonly clock: Clock;
  /** For asking again. */
  readonly timers: Timers;
  /** Where routes begin. */
  readonly localKey: PublicKey;
  /** What they can begin with. */
  readonly transports: Pick<TransportTable, "list">;
  /** Knows the rest. */
  readonly routeFinder: Pick<RouteFinderClient, "findRoutes">;
  /** Opens a transport to the visor; called when a dial finds no route and no path was asked for. */
  readonly ensureTransport?: (remote: PublicKey, signal: AbortSignal) => Promise<void>;
}

/**
 * Gives one route after the other; whoever iterates stops when one works.
 * @throws {UnavailableError} `route/not-found` when there is none at all
 * @throws {RefusedError} `route/bad-path`
 */
export function chooseRoutes(
  remote: PublicKey,
  options: { readonly wish: RouteWish; readonly signal: AbortSignal; readonly deps: RouteChoiceDeps },
): AsyncIterable<Route> {
  const choice = new RouteChoice(remote, options);
  return options.wish.path === undefined ? choice.found() : choice.asked(options.wish.path);
}

class RouteChoice {
  readonly #remote: PublicKey;
  readonly #signal: AbortSignal;
  readonly #deps: RouteChoiceDeps;
  readonly #minHops: number;
  readonly #maxHops: number;
  /** Why nothing was found, as far as it is known. */
  #cause: unknown;

  constructor(
    remote: PublicKey,
    options: { readonly wish: RouteWish; readonly signal: AbortSignal; readonly deps: RouteChoiceDeps },
  ) {
    this.#remote = remote;
    this.#signal = options.signal;
    this.#deps = options.deps;
    this.#minHops = Math.max(options.wish.minHops ?? 1, 1);
    this.#maxHops = options.wish.maxHops ?? Math.max(DEFAULT_MAX_HOPS, this.#minHops);
  }

  async *found(): AsyncGenerator<Route> {
    const direct = this.#direct();
    yield* direct;
    const tried = new Set(direct.map(nameOf));
    const further = (await this.#ask()).filter((route) => !tried.has(nameOf(route)));
    yield* further;
    if (direct.length + further.length > 0) return;
    const opened = await this.#openAndAsk();
    if (opened.length === 0) throw this.#notFound();
    yield* opened;
  }

  /** Parallel transports between two visors of the path give further routes over the same visors. */
  async *asked(path: readonly PublicKey[]): AsyncGenerator<Route> {
    const visors = this.#checkPath(path);
    const hops = await Promise.all(path.map((to, i) => this.#hop(visors[i]!, { to, number: i + 1, of: path.length })));
    const count = Math.max(...hops.map((choices) => choices.length));
    for (let n = 0; n < count; n++) yield makeRoute(hops.map((choices) => choices[Math.min(n, choices.length - 1)]!));
  }

  /** Opens a transport when that is allowed and can help, then asks until it is known. */
  async #openAndAsk(): Promise<Route[]> {
    const { ensureTransport, clock, timers } = this.#deps;
    if (ensureTransport === undefined || this.#minHops > 1) return [];
    try {
      await ensureTransport(this.#remote, this.#signal);
    } catch (cause) {
      this.#signal.throwIfAborted();
      this.#cause = cause;
      return [];
    }
    for (const until = clock.monotonic() + CATCH_UP.limitMs;;) {
      const routes = [...this.#direct(), ...await this.#ask()];
      if (routes.length > 0 || clock.monotonic() >= until) return routes;
      await sleep(timers, CATCH_UP.intervalMs, this.#signal);
    }
  }

  /** Routes over one of our own transports; the finder need not even know it. */
  #direct(): Route[] {
    if (this.#minHops > 1 || this.#maxHops < 1) return [];
    return this.#transportsTo(this.#remote).map((transportId) =>
      makeRoute([{ transportId, from: this.#deps.localKey, to: this.#remote }])
    );
  }

  /** What the finder knows, as far as it begins with a transport that is really up. */
  async #ask(): Promise<Route[]> {
    const up = new Set(this.#deps.transports.list().filter((one) => one.up).map((one) => one.id));
    const routes = await this.#query(this.#deps.localKey, {
      to: this.#remote,
      minHops: this.#minHops,
      maxHops: this.#maxHops,
    });
    return routes.filter((hops) => hops.length > 0 && up.has(hops[0]!.transportId)).map(makeRoute);
  }

  async #hop(from: PublicKey, { to, number, of }: { to: PublicKey; number: number; of: number }): Promise<Hop[]> {
    const hops = from === this.#deps.localKey
      ? this.#transportsTo(to).map((transportId) => ({ transportId, from, to }))
      : (await this.#query(from, { to, minHops: 1, maxHops: 1 })).flatMap((hops) => hops.slice(0, 1));
    if (hops.length > 0) return hops;
    throw new UnavailableError(
      "route/not-found",
      `Follow the path: hop ${number} of ${of}, no transport from ${shortKey(from)} to ${shortKey(to)} is up; ` +
        `add one there or choose another path`,
      { cause: this.#cause, details: { hop: number, from, to } },
    );
  }

  /** Asks the finder; that it has none or cannot be reached gives no routes and is kept as the cause. */
  async #query(
    from: PublicKey,
    { to, minHops, maxHops }: { to: PublicKey; minHops: number; maxHops: number },
  ): Promise<Hop[][]> {
    try {
      const [routes] = await this.#deps.routeFinder.findRoutes({
        pairs: [[from, to]],
        minHops,
        maxHops,
        signal: this.#signal,
      });
      return routes ?? [];
    } catch (cause) {
      this.#signal.throwIfAborted();
      if (!hasCode(cause, "route/not-found")) this.#cause = cause;
      return [];
    }
  }

  /** Our transports to a visor that are up, those through messaging servers last. */
  #transportsTo(remote: PublicKey): TransportId[] {
    return this.#deps.transports.list()
      .filter((transport) => transport.up && transport.remote === remote)
      .sort((a, b) => Number(a.type === MESSAGING_TYPE) - Number(b.type === MESSAGING_TYPE))
      .map((transport) => transport.id);
  }

  #checkPath(path: readonly PublicKey[]): PublicKey[] {
    const visors = [this.#deps.localKey, ...path];
    const problem = path.at(-1) !== this.#remote
      ? `it must end at ${shortKey(this.#remote)}, the visor dialled`
      : new Set(visors).size < visors.length
      ? "a visor occurs twice, or it names this visor"
      : undefined;
    if (problem === undefined) return visors;
    throw new RefusedError("route/bad-path", `Follow the path: ${problem}`, { details: { path } });
  }

  #notFound(): UnavailableError {
    const limits = this.#minHops > 1 ? ` of ${this.#minHops} to ${this.#maxHops} hops` : "";
    return new UnavailableError(
      "route/not-found",
      `Find a route to ${
        shortKey(this.#remote)
      }: there is none${limits}; check that it is online, or add a transport to it`,
      { cause: this.#cause, details: { remote: this.#remote } },
    );
  }
}

function makeRoute(forward: readonly Hop[]): Route {
  const reverse = forward.map(({ transportId, from, to }) => ({ transportId, from: to, to: from })).reverse();
  return { forward, reverse };
}

function nameOf(route: Route): string {
  return route.forward.map((hop) => hop.transportId).join();
}
