/**
 * Keeps a graph as the transport discovery has it: begins with a snapshot, follows the changes, and after a break goes on
 * where it was. While the discovery is away the last graph is used; before the first snapshot there is none.
 * Tested in tests/services/route_finder/current_map_test.ts.
 */

import { describeError, hasCode, UnavailableError } from "../../errors/mod.ts";
import { Backoff, type Runtime, Signal, Trouble, withTimeout } from "../../runtime/mod.ts";
import { type FeedEvent, hasReached, type TransportFeed } from "../transport_discovery/mod.ts";
import { TransportGraph } from "../../paths/graph.ts";

/** The pause before following again. */
const RETRY = { firstMs: 250, maxMs: 10_000 } as const;

/** How long a question waits for what the discovery knows already, ms. */
const CATCH_UP_WITHIN_MS = 1_000;

/** See {@link createFollower}. */
export interface Follower extends AsyncDisposable {
  /** The graph as it is now; undefined before the first snapshot. */
  readonly graph: TransportGraph | undefined;
  /** Resolves when there is a graph; never when it is closed before. */
  readonly ready: Promise<void>;
  /** Why there has been no graph, or no news of it, for 10 s or more, for people; undefined when there is. */
  readonly problem: string | undefined;
  /**
   * Answers a question from the map. A discovery in this process has been followed to its last change then. One elsewhere
   * is asked how far it is when the map says that there is no route, and the map is looked at again when it is there.
   * @throws {UnavailableError} `route-finder/no-map` before the first snapshot; what the work throws
   */
  answer<T>(work: (graph: TransportGraph) => T | Promise<T>): Promise<T>;
}

/** Starts to follow. */
export function createFollower(
  deps: { readonly runtime: Pick<Runtime, "timers" | "random" | "log">; readonly feed: TransportFeed },
): Follower {
  const { feed } = deps;
  const { timers, random, log } = deps.runtime;
  const closing = new AbortController();
  const ready = Promise.withResolvers<void>();
  const backoff = new Backoff({ random, ...RETRY });
  const noMap = new Trouble({ timers, log, event: "no-map", what: "the map of transports is not known" });
  noMap.lasts();
  const notFollowed = new Trouble({
    timers,
    log,
    event: "map-not-followed",
    what: "changes of the map are not known",
  });
  let graph: TransportGraph | undefined;
  /** A snapshot of which not all parts have come. */
  let growing: TransportGraph | undefined;
  let position: string | undefined;
  const moved = new Signal();
  /** Ends the pause before following again. */
  const hurry = new Signal();

  const apply = (event: FeedEvent): void => {
    applyNow(event);
    moved.notify();
  };

  const applyNow = (event: FeedEvent): void => {
    if (event.type === "changes") {
      for (const change of event.changes) {
        if ("added" in change) graph?.add(change.added);
        else graph?.remove(change.removed);
      }
      position = event.position;
      return;
    }
    if (event.isFirst) growing = new TransportGraph();
    for (const entry of event.entries) growing?.add(entry);
    if (!event.isLast || growing === undefined) return;
    graph = growing;
    noMap.ends();
    notFollowed.ends();
    growing = undefined;
    position = event.position;
    log.debug("map-read", { transports: graph.transportCount, visors: graph.visorCount });
    ready.resolve();
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        for await (
          const event of feed.follow({
            after: position,
            signal: closing.signal,
            onTaken: () => notFollowed.ends(),
          })
        ) {
          backoff.reset();
          apply(event);
        }
      } catch (error) {
        if (closing.signal.aborted) return;
        (graph === undefined ? noMap : notFollowed).lasts(describeError(error));
      }
      growing = undefined;
      await hurry.nextWithin(timers, backoff.nextMs(), closing.signal).catch(() => {});
    }
  };
  const running = run();

  const reach = async (wanted: string, signal: AbortSignal): Promise<void> => {
    hurry.notify();
    while (!hasReached(position, wanted)) await moved.next(signal);
  };
  /** Does its work for at most a second, and not after the end. */
  const within = (work: (signal: AbortSignal) => Promise<void>): Promise<void> =>
    withTimeout(work, {
      timers,
      ms: CATCH_UP_WITHIN_MS,
      code: "route-finder/behind",
      message: "Follow the transport discovery to where it is",
      signal: closing.signal,
    }).catch((error) => log.debug("map-behind", { error: describeError(error) }));
  const askAndReach = createShared(() =>
    within(async (signal) => {
      const wanted = await feed.refresh?.({ signal });
      if (wanted !== undefined) await reach(wanted, signal);
    })
  );
  const current = (): TransportGraph => {
    if (graph === undefined) throw new UnavailableError("route-finder/no-map", "Find routes: there is no map yet");
    return graph;
  };

  return {
    ready: ready.promise,
    get graph(): TransportGraph | undefined {
      return graph;
    },
    get problem(): string | undefined {
      return noMap.problem ?? notFollowed.problem;
    },
    answer: async (work) => {
      const wanted = feed.position;
      if (graph !== undefined && wanted !== undefined && !hasReached(position, wanted)) {
        await within((signal) => reach(wanted, signal));
      }
      try {
        return await work(current());
      } catch (error) {
        if (wanted !== undefined || feed.refresh === undefined || !isNothingFound(error)) throw error;
      }
      await askAndReach();
      return await work(current());
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await running;
      noMap[Symbol.dispose]();
      notFollowed[Symbol.dispose]();
    },
  };
}

/** Does the map say that there is no such route, or no such visor? */
function isNothingFound(error: unknown): boolean {
  return hasCode(error, "route-finder/no-route") || hasCode(error, "route-finder/unreachable");
}

/**
 * Shares one run of the work among many callers. A run begins after its callers asked: callers that come during a run
 * share the next one.
 */
function createShared(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined, next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    const run = work().finally(() => running = undefined);
    running = run;
    return run;
  };
  return () => {
    if (running === undefined) return begin();
    return next ??= running.then(() => {
      next = undefined;
      return running ?? begin();
    });
  };
}
