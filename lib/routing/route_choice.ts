/**
 * Which routes a dial tries, best first. A path that was asked for is followed to the letter; otherwise a transport of
 * our own to the remote visor comes first, then what the route finder knows. Last come messaging transports that nobody
 * here asked for, such as the one that a dial opened when there was no other way: else the fewest hops would lead over
 * it for ever, however well the others work again. v1.3 tries the finder's first answer only (routing.md §8.1).
 *
 * Both directions of a connection take the same transports: so one question to the finder is enough, and each end
 * notices when the other's path breaks.
 */

import { hasCode, RefusedError, UnavailableError } from "../errors/mod.ts";
import { type Clock, sleep, type Timers, withTimeout } from "../runtime/mod.ts";
import type { RouteConstraints, RouteFinderClient } from "../services/route_finder/mod.ts";
import { type TransportSummary, type TransportTable, USER_LABEL } from "../transport/mod.ts";
import {
  type Hop,
  isTransportStep,
  type PathStep,
  type PublicKey,
  type RoutePair,
  shortKey,
  type TransportId,
} from "../types/mod.ts";
import type { Edges } from "../wire/transport_entry.ts";

/** Longer routes are not asked for, which spares the route finder (routing.md §10.3). */
export const DEFAULT_DIAL_HOPS = 5;

/** How long a dial goes on asking after it opened a transport by itself: discovery and finder must learn of it first. */
const CATCH_UP = { limitMs: 5_000, intervalMs: 250 } as const;

/** How long a dial that has a last resort waits for what the finder knows. */
const BETTER_WITHIN_MS = 2_000;

/** The type of transports that go through a messaging server, and so are the slowest. */
const MESSAGING_TYPE = "dmsg";

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
  /** Whose a transport of the network is, for paths that name some; undefined when nobody knows it. */
  readonly edgesOf?: (id: TransportId, signal: AbortSignal) => Promise<Edges | undefined>;
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
  options: { readonly constraints: RouteConstraints; readonly signal: AbortSignal; readonly deps: RouteChoiceDeps },
): AsyncIterable<RoutePair> {
  const choice = new RouteChoice(remote, options);
  return options.constraints.path === undefined ? choice.found() : choice.asked(options.constraints.path);
}

class RouteChoice {
  readonly #remote: PublicKey;
  readonly #signal: AbortSignal;
  readonly #deps: RouteChoiceDeps;
  readonly #minHops: number;
  readonly #maxHops: number;
  readonly #constraints: Omit<RouteConstraints, "path" | "minHops" | "maxHops">;
  /** Why nothing was found, as far as it is known. */
  #cause: unknown;

  constructor(
    remote: PublicKey,
    options: { readonly constraints: RouteConstraints; readonly signal: AbortSignal; readonly deps: RouteChoiceDeps },
  ) {
    this.#remote = remote;
    this.#signal = options.signal;
    this.#deps = options.deps;
    const { path: _, minHops = 1, maxHops, ...constraints } = options.constraints;
    this.#minHops = Math.max(minHops, 1);
    this.#maxHops = maxHops ?? Math.max(DEFAULT_DIAL_HOPS, this.#minHops);
    this.#constraints = constraints;
  }

  async *found(): AsyncGenerator<RoutePair> {
    // Whether a way of our own is the best, only the finder knows by other measures.
    const byHops = (this.#constraints.metric ?? "hops") === "hops";
    const direct = byHops ? this.#direct() : [];
    const unasked = new Set(this.#deps.transports.list().filter(isLastResort).map(({ id }) => id));
    const isLast = ({ forward: [first] }: RoutePair): boolean => byHops && unasked.has(first!.transportId);
    const tried = new Set<string>();
    const untried = (routes: readonly RoutePair[]): RoutePair[] =>
      routes.filter((route) => {
        const isNew = !tried.has(nameOf(route));
        tried.add(nameOf(route));
        return isNew;
      });
    yield* untried(direct.filter((route) => !isLast(route)));
    const answered = await this.#ask(direct.some(isLast) ? BETTER_WITHIN_MS : undefined);
    yield* untried(answered.filter((route) => !isLast(route)));
    yield* untried([...direct, ...answered]);
    if (tried.size > 0) return;
    const opened = await this.#openAndAsk();
    if (opened.length === 0) throw this.#notFound();
    yield* opened;
  }

  /** Parallel transports between two visors of the path give further routes over the same visors. */
  async *asked(path: readonly PathStep[]): AsyncGenerator<RoutePair> {
    const visors = await this.#visorsOf(path);
    const hops = await Promise.all(path.map((step, i): Hop[] | Promise<Hop[]> => {
      const from = visors[i]!, to = visors[i + 1]!;
      return isTransportStep(step)
        ? [{ transportId: step, from, to }]
        : this.#hop(from, { to, number: i + 1, of: path.length });
    }));
    const count = Math.max(...hops.map((choices) => choices.length));
    for (let n = 0; n < count; n++) yield makeRoute(hops.map((choices) => choices[Math.min(n, choices.length - 1)]!));
  }

  /** Opens a transport when that is allowed and can help, then asks until it is known. */
  async #openAndAsk(): Promise<RoutePair[]> {
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
  #direct(): RoutePair[] {
    const { via = [] } = this.#constraints;
    if (this.#minHops > 1 || this.#maxHops < 1 || via.length > 0) return [];
    return this.#transportsTo(this.#remote).map((transportId) =>
      makeRoute([{ transportId, from: this.#deps.localKey, to: this.#remote }])
    );
  }

  /** What the finder knows, as far as it begins with a transport that is really up; nothing when time is up. */
  async #ask(withinMs?: number): Promise<RoutePair[]> {
    const up = new Set(this.#deps.transports.list().filter((one) => one.up).map((one) => one.id));
    const routes = await this.#query(this.#deps.localKey, {
      to: this.#remote,
      minHops: this.#minHops,
      maxHops: this.#maxHops,
      constraints: this.#constraints,
      withinMs,
    });
    return routes.filter((hops) => hops.length > 0 && up.has(hops[0]!.transportId)).map(makeRoute);
  }

  async #hop(from: PublicKey, { to, number, of }: { to: PublicKey; number: number; of: number }): Promise<Hop[]> {
    const hops = from === this.#deps.localKey
      ? this.#transportsTo(to).map((transportId) => ({ transportId, from, to }))
      : (await this.#query(from, { to, minHops: 1, maxHops: 1 })).flatMap((hops) => hops.slice(0, 1));
    if (hops.length > 0) return hops;
    const why = `no transport from ${shortKey(from)} to ${shortKey(to)} is up; add one there or choose another path`;
    throw this.#missing(why, { hop: number, of, from, to });
  }

  /** Where a transport that was named leads to from a visor. */
  async #otherEnd(
    id: TransportId,
    { from, number, of }: { readonly from: PublicKey; readonly number: number; readonly of: number },
  ): Promise<PublicKey> {
    const name = `the transport ${id.slice(0, 8)}`;
    const missing = (why: string): UnavailableError =>
      this.#missing(`${name} ${why}; choose another path`, { hop: number, of, from, transport: id });
    if (from === this.#deps.localKey) {
      const own = this.#deps.transports.list().find((transport) => transport.id === id);
      if (own === undefined) throw missing(`is none of this visor's (${shortKey(from)})`);
      if (!own.up) throw missing(`from ${shortKey(from)} to ${shortKey(own.remote)} is not up`);
      return own.remote;
    }
    const edges = await this.#deps.edgesOf?.(id, this.#signal).catch((cause) => {
      this.#signal.throwIfAborted();
      this.#cause = cause;
      return undefined;
    });
    if (edges === undefined) throw missing(`from ${shortKey(from)} on is not known to the network`);
    if (!edges.includes(from)) throw missing(`does not begin at ${shortKey(from)}`);
    return edges[0] === from ? edges[1] : edges[0];
  }

  #missing(
    why: string,
    details: { readonly hop: number; readonly of: number; readonly from: PublicKey } & Record<string, unknown>,
  ): UnavailableError {
    const { hop, of } = details;
    return new UnavailableError("route/not-found", `Follow the path: hop ${hop} of ${of}, ${why}`, {
      cause: this.#cause,
      details,
    });
  }

  /** Asks the finder; that it has none or cannot be reached gives no routes and is kept as the cause. */
  async #query(
    from: PublicKey,
    { to, minHops, maxHops, constraints, withinMs }: {
      readonly to: PublicKey;
      readonly minHops: number;
      readonly maxHops: number;
      readonly constraints?: RouteConstraints;
      readonly withinMs?: number | undefined;
    },
  ): Promise<Hop[][]> {
    const { routeFinder, timers } = this.#deps;
    const ask = (signal: AbortSignal): Promise<Hop[][][]> =>
      routeFinder.findRoutes({ pairs: [[from, to]], minHops, maxHops, ...(constraints && { constraints }), signal });
    const code = "route-finder/slow", message = "Ask the route finder";
    try {
      const [routes] = withinMs === undefined
        ? await ask(this.#signal)
        : await withTimeout(ask, { timers, ms: withinMs, code, message, signal: this.#signal });
      return routes ?? [];
    } catch (cause) {
      this.#signal.throwIfAborted();
      if (!hasCode(cause, "route/not-found")) this.#cause = cause;
      return [];
    }
  }

  /** Our transports to a visor that are up, those through messaging servers last. */
  #transportsTo(remote: PublicKey): TransportId[] {
    const { avoidTypes = [] } = this.#constraints;
    return this.#deps.transports.list()
      .filter(({ up, remote: its, type }) => up && its === remote && !avoidTypes.includes(type))
      .sort((a, b) => Number(a.type === MESSAGING_TYPE) - Number(b.type === MESSAGING_TYPE))
      .map((transport) => transport.id);
  }

  /** All visors on a path, this one first. */
  async #visorsOf(path: readonly PathStep[]): Promise<readonly PublicKey[]> {
    // What is wrong already without transports needs no questions.
    const named = path.filter((step) => !isTransportStep(step));
    const isEndKnown = path.length === 0 || !isTransportStep(path.at(-1)!);
    this.#checkPath(path, { visors: [this.#deps.localKey, ...named], last: isEndKnown ? named.at(-1) : this.#remote });
    const visors = [this.#deps.localKey];
    for (const [i, step] of path.entries()) {
      const from = visors[i]!;
      visors.push(
        isTransportStep(step) ? await this.#otherEnd(step, { from, number: i + 1, of: path.length }) : step,
      );
    }
    this.#checkPath(path, { visors, last: visors.at(-1) });
    return visors;
  }

  #checkPath(
    path: readonly PathStep[],
    { visors, last }: { readonly visors: readonly PublicKey[]; readonly last: PublicKey | undefined },
  ): void {
    const problem = last !== this.#remote
      ? `it must end at ${shortKey(this.#remote)}, the visor dialled`
      : new Set(visors).size < visors.length
      ? "a visor occurs twice, or it names this visor"
      : undefined;
    if (problem === undefined) return;
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

/** Do dials by hops come to this transport of ours last? See the top of the file. */
export function isLastResort({ type, label }: Pick<TransportSummary, "type" | "label">): boolean {
  return type === MESSAGING_TYPE && label !== USER_LABEL;
}

function makeRoute(forward: readonly Hop[]): RoutePair {
  const reverse = forward.map(({ transportId, from, to }) => ({ transportId, from: to, to: from })).reverse();
  return { forward, reverse };
}

function nameOf(route: RoutePair): string {
  return route.forward.map((hop) => hop.transportId).join();
}
