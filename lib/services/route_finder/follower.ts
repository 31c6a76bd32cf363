/**
 * Keeps a graph as the transport discovery has it: begins with a snapshot, follows the changes, and after a break goes on
 * where it was. While the discovery is away the last graph is used; before the first snapshot there is none.
 */

import { describeError } from "../../errors/mod.ts";
import { Backoff, type Runtime, sleep } from "../../runtime/mod.ts";
import type { FeedEvent, TransportFeed } from "../transport_discovery/mod.ts";
import { TransportGraph } from "../../paths/graph.ts";

/** The pause before following again. */
const RETRY = { firstMs: 250, maxMs: 10_000 } as const;

/** See {@link createFollower}. */
export interface Follower extends AsyncDisposable {
  /** The graph as it is now; undefined before the first snapshot. */
  readonly graph: TransportGraph | undefined;
  /** Resolves when there is a graph; never when it is closed before. */
  readonly ready: Promise<void>;
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
  let graph: TransportGraph | undefined;
  /** A snapshot of which not all parts have come. */
  let growing: TransportGraph | undefined;
  let position: string | undefined;

  const apply = (event: FeedEvent): void => {
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
    growing = undefined;
    position = event.position;
    log.debug("map-read", { transports: graph.transportCount, visors: graph.visorCount });
    ready.resolve();
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        for await (const event of feed.follow({ after: position, signal: closing.signal })) {
          backoff.reset();
          apply(event);
        }
      } catch (error) {
        if (closing.signal.aborted) return;
        log.warn("map-not-followed", { error: describeError(error) });
      }
      growing = undefined;
      await sleep(timers, backoff.nextMs(), closing.signal).catch(() => {});
    }
  };
  const running = run();

  return {
    ready: ready.promise,
    get graph(): TransportGraph | undefined {
      return graph;
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await running;
    },
  };
}
