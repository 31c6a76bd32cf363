/**
 * Which routes a dial tries, one after the other: a path that was asked for, to the letter; otherwise in the order of
 * `rank.ts`. The finder is asked only when transports of this visor do not do.
 *
 * Both directions of a connection take the same transports: so one question to the finder is enough, and each end
 * notices when the other's path breaks.
 */

import { hasCode, UnavailableError } from "../errors/mod.ts";
import { type Clock, headStartOf, type RecentMean, sleep, type Timers, withTimeout } from "../runtime/mod.ts";
import type { RouteConstraints, RouteFinderClient } from "../services/route_finder/mod.ts";
import type { TransportTable } from "../transport/mod.ts";
import { type Path, type PathStep, type PublicKey, type RoutePair, shortKey, type TransportId } from "../types/mod.ts";
import type { Edges } from "../wire/transport_entry.ts";
import { followPath } from "./asked_path.ts";
import {
  type DialConstraints,
  dialConstraints,
  isLastResortTransport,
  nameOfPath,
  type RankedPath,
  rankPaths,
} from "./rank.ts";

/** How long a dial goes on asking after it opened a transport by itself: discovery and finder must learn of it first. */
const CATCH_UP = { limitMs: 5_000, intervalMs: 250 } as const;

/** How far the finder is ahead of a last resort, ms: several times what it takes to answer. */
const BETTER_WITHIN = { leastMs: 250, mostMs: 2_000, unmeasuredMs: 2_000 } as const;

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
  readonly routeFinder: Pick<RouteFinderClient, "findRoutes" | "ask">;
  /** How long it took to answer lately. */
  readonly finderTimes: RecentMean;
  /** Whose a transport of the network is, for paths that name some; undefined when nobody knows it. */
  readonly edgesOf?: (id: TransportId, signal: AbortSignal) => Promise<Edges | undefined>;
  /** Opens a transport to the visor; called when a dial finds no route and no path was asked for. */
  readonly ensureTransport?: (remote: PublicKey, signal: AbortSignal) => Promise<void>;
}

/**
 * Gives one route after the other; the caller stops when one works.
 * @throws {UnavailableError} `route/not-found` when there is none at all
 * @throws {RefusedError} `route/bad-path`
 */
export async function* chooseRoutes(
  remote: PublicKey,
  options: { readonly constraints: RouteConstraints; readonly signal: AbortSignal; readonly deps: RouteChoiceDeps },
): AsyncGenerator<RoutePair> {
  const choice = new RouteChoice(remote, options);
  const { path } = options.constraints;
  for await (const hops of path === undefined ? choice.found() : choice.asked(path)) yield pairOf(hops);
}

/** A route with what it costs. */
export interface RatedPath {
  readonly hops: Path;
  /** In the metric asked for; the less the better. */
  readonly cost: number;
  /** Does it begin with a transport that only stands in where there is no other way? */
  readonly isLastResort: boolean;
}

/** Of so many routes the costs are asked for: the one in use has to be among them. */
const COMPARED = 8;

/**
 * Compares a route that is in use with those that a dial could take now; opens nothing.
 * @returns the route in use, and the best that there is; undefined when their costs cannot be compared
 */
export async function compareRoute(
  current: Path,
  { remote, constraints, deps, signal }: {
    readonly remote: PublicKey;
    readonly constraints: RouteConstraints;
    readonly deps: RouteChoiceDeps;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly current: RatedPath; readonly best: RatedPath } | undefined> {
  const { localKey, routeFinder, transports } = deps;
  const whole = dialConstraints(constraints);
  const isByHops = (whole.metric ?? "hops") === "hops";
  const own = transports.list();
  const { routes } = await routeFinder.ask({ ...whole, source: localKey, destination: remote, count: COMPARED }, {
    signal,
  })
    .catch((error) => {
      signal.throwIfAborted();
      // By hops, the transports of this visor can be compared without a finder.
      if (isByHops) return { routes: [] };
      throw error;
    });
  const costs = new Map(routes.map(({ hops, cost }) => [nameOfPath(hops), cost]));
  const found = routes.map(({ hops }) => hops);
  const { candidates } = rankPaths({ localKey, remote, constraints: whole, transports: own, found });
  const rated = (hops: Path): RatedPath | undefined => {
    const cost = costs.get(nameOfPath(hops)) ?? (isByHops ? hops.length : undefined);
    const [first] = hops;
    const transport = own.find(({ id }) => id === first?.transportId);
    return cost === undefined ? undefined : {
      hops,
      cost,
      isLastResort: transport !== undefined && isLastResortTransport(transport),
    };
  };
  const [now, best] = [rated(current), candidates[0] && rated(candidates[0].hops)];
  return now === undefined || best === undefined ? undefined : { current: now, best };
}

/** Asks the route finder what a dial asks it: for paths from a visor to another one, the best first. */
export async function askForPaths(
  ends: { readonly from: PublicKey; readonly to: PublicKey },
  { constraints: { minHops, maxHops, ...constraints }, routeFinder, signal }: {
    readonly constraints: DialConstraints;
    readonly routeFinder: Pick<RouteFinderClient, "findRoutes">;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<readonly Path[]> {
  const pairs = [[ends.from, ends.to]] as const;
  const [paths = []] = await routeFinder.findRoutes({ pairs, minHops, maxHops, constraints, signal });
  return paths;
}

class RouteChoice {
  readonly #remote: PublicKey;
  readonly #signal: AbortSignal;
  readonly #deps: RouteChoiceDeps;
  readonly #constraints: DialConstraints;
  /** Why nothing was found, as far as it is known. */
  #cause: unknown;

  constructor(
    remote: PublicKey,
    options: { readonly constraints: RouteConstraints; readonly signal: AbortSignal; readonly deps: RouteChoiceDeps },
  ) {
    this.#remote = remote;
    this.#signal = options.signal;
    this.#deps = options.deps;
    this.#constraints = dialConstraints(options.constraints);
  }

  async *found(): AsyncGenerator<Path> {
    const tried = new Set<string>();
    const untried = (ranked: readonly RankedPath[]): Path[] =>
      ranked.map(({ hops }) => hops).filter((hops) => {
        const isNew = !tried.has(nameOfPath(hops));
        tried.add(nameOfPath(hops));
        return isNew;
      });
    const isByHops = (this.#constraints.metric ?? "hops") === "hops";
    const known = this.#rank([]);
    const [lastResorts, direct] = [known.filter(isLastResort), known.filter((one) => !isLastResort(one))];
    if (isByHops) yield* untried(direct);
    yield* untried(
      this.#rank(
        await this.#ask(lastResorts.length > 0 ? headStartOf(this.#deps.finderTimes.ms, BETTER_WITHIN) : undefined),
      ),
    );
    if (tried.size > 0) return;
    const opened = await this.#openAndAsk();
    if (opened.length === 0) throw this.#notFound();
    yield* untried(opened);
  }

  async *asked(path: readonly PathStep[]): AsyncGenerator<Path> {
    yield* await followPath(path, {
      localKey: this.#deps.localKey,
      remote: this.#remote,
      constraints: this.#constraints,
      transports: this.#deps.transports,
      hopsBetween: async (from, to) => {
        const paths = await this.#query({ from, to }, { constraints: { minHops: 1, maxHops: 1 } });
        return paths.flatMap((hops) => hops.slice(0, 1));
      },
      edgesOf: async (id) =>
        await this.#deps.edgesOf?.(id, this.#signal).catch((cause) => {
          this.#signal.throwIfAborted();
          this.#cause = cause;
          return undefined;
        }),
      causeOf: () => this.#cause,
    });
  }

  /** Opens a transport when that is allowed and can help, then asks until it is known. */
  async #openAndAsk(): Promise<readonly RankedPath[]> {
    const { ensureTransport, clock, timers } = this.#deps;
    if (ensureTransport === undefined || this.#constraints.minHops > 1) return [];
    try {
      await ensureTransport(this.#remote, this.#signal);
    } catch (cause) {
      this.#signal.throwIfAborted();
      this.#cause = cause;
      return [];
    }
    for (const until = clock.monotonic() + CATCH_UP.limitMs;;) {
      const routes = this.#rank(await this.#ask());
      if (routes.length > 0 || clock.monotonic() >= until) return routes;
      await sleep(timers, CATCH_UP.intervalMs, this.#signal);
    }
  }

  #rank(found: readonly Path[]): readonly RankedPath[] {
    return rankPaths({
      localKey: this.#deps.localKey,
      remote: this.#remote,
      constraints: this.#constraints,
      transports: this.#deps.transports.list(),
      found,
    }).candidates;
  }

  /** What the finder knows; nothing when time is up. */
  async #ask(withinMs?: number): Promise<readonly Path[]> {
    const ends = { from: this.#deps.localKey, to: this.#remote };
    return await this.#query(ends, { constraints: this.#constraints, withinMs });
  }

  /** Asks the finder; that it has none or cannot be reached gives no paths and is kept as the cause. */
  async #query(
    ends: { readonly from: PublicKey; readonly to: PublicKey },
    { constraints, withinMs }: { readonly constraints: DialConstraints; readonly withinMs?: number | undefined },
  ): Promise<readonly Path[]> {
    const { routeFinder, finderTimes, clock, timers } = this.#deps;
    const ask = async (signal: AbortSignal): Promise<readonly Path[]> => {
      const startedAt = clock.monotonic();
      const paths = await askForPaths(ends, { constraints, routeFinder, signal });
      finderTimes.add(clock.monotonic() - startedAt);
      return paths;
    };
    const code = "route-finder/slow", message = "Ask the route finder";
    try {
      return withinMs === undefined
        ? await ask(this.#signal)
        : await withTimeout(ask, { timers, ms: withinMs, code, message, signal: this.#signal });
    } catch (cause) {
      this.#signal.throwIfAborted();
      if (!hasCode(cause, "route/not-found")) this.#cause = cause;
      return [];
    }
  }

  #notFound(): UnavailableError {
    const { minHops, maxHops } = this.#constraints;
    const limits = minHops > 1 ? ` of ${minHops} to ${maxHops} hops` : "";
    return new UnavailableError(
      "route/not-found",
      `Find a route to ${
        shortKey(this.#remote)
      }: there is none${limits}; check that it is online, or add a transport to it`,
      { cause: this.#cause, details: { remote: this.#remote } },
    );
  }
}

function isLastResort({ rank }: RankedPath): boolean {
  return rank === "last-resort";
}

function pairOf(forward: Path): RoutePair {
  const reverse = forward.map(({ transportId, from, to }) => ({ transportId, from: to, to: from })).reverse();
  return { forward, reverse };
}
