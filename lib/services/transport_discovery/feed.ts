/**
 * Tells followers which transports there are and what changes: first everything, then every change in order. A follower
 * that was away continues at its position, or begins anew when the changes since then are forgotten. Followers pull, so a
 * slow follower delays nobody else.
 */

import type { Random } from "../../runtime/mod.ts";
import { Signal } from "../../runtime/mod.ts";
import { formatHex, type TransportId } from "../../types/mod.ts";
import type { MapTransport } from "../../wire/map_transport.ts";

/** One change of the map. A transport that is added again replaces what followers know of it. */
export type TransportChange =
  | { readonly added: MapTransport }
  | { readonly removed: TransportId };

/** What a follower receives: a part of a snapshot, or changes in their order. */
export type FeedEvent =
  | {
    readonly type: "snapshot";
    /** The first part of a snapshot: forget all transports known before. */
    readonly isFirst: boolean;
    /** The last part of a snapshot: it is complete. */
    readonly isLast: boolean;
    /** Transports of this part. */
    readonly entries: readonly MapTransport[];
    /** Where to continue from; only with the last part, and absent when the source cannot continue anywhere. */
    readonly position?: string;
  }
  | { readonly type: "changes"; readonly changes: readonly TransportChange[]; readonly position: string };

/** The map of a network as a source to follow: a discovery in this process, or another through its client. */
export interface TransportFeed {
  /**
   * Follows the map: first a snapshot, or the changes after a position; then every change. It does not end by itself.
   * @param options `after`: the position that the follower has reached; `signal`: ends it; `onTaken`: called when a source
   * elsewhere has answered: where nothing changes, nothing else tells that it is there
   * @throws the reason of the signal
   * @throws {UnavailableError} `transport-discovery/…` when the source is gone: follow again from the last position
   */
  follow(
    options: {
      readonly after?: string | undefined;
      readonly signal: AbortSignal;
      readonly onTaken?: () => void;
    },
  ): AsyncIterable<FeedEvent>;
  /** The position of the source at this moment; absent when it is elsewhere, see {@link TransportFeed.refresh}. */
  readonly position?: string;
  /**
   * Asks the source for its position. A follower at that position knows all that was stored before the question.
   * @returns the position; undefined when the source has none: then followers have received everything already
   * @throws the reason of the signal
   * @throws {UnavailableError} `transport-discovery/no-position`, `http/unreachable` or `http/timeout` when the source does
   * not answer
   */
  refresh?(options: { readonly signal: AbortSignal }): Promise<string | undefined>;
}

/** Has a follower at a position reached another one? Positions of two runs of a discovery cannot be compared. */
export function hasReached(position: string | undefined, wanted: string): boolean {
  const [at, goal] = [parsePosition(position), parsePosition(wanted)];
  if (at === undefined || goal === undefined) return position === wanted;
  return at.run === goal.run && at.number >= goal.number;
}

/** Reads `<run>-<number>`; undefined when it is something else. */
function parsePosition(text: string | undefined): { readonly run: string; readonly number: number } | undefined {
  const [, run, number] = /^([0-9a-f]{16})-(\d{1,15})$/.exec(text ?? "") ?? [];
  return run === undefined ? undefined : { run, number: Number(number) };
}

/** See {@link createLocalFeed}. */
export interface LocalFeed extends TransportFeed {
  /** See {@link TransportFeed}. */
  readonly position: string;
  /** Tells the followers. Call it after the store has changed, in the same order. */
  append(changes: readonly TransportChange[]): void;
}

/** Changes that are remembered: at 20 a second a follower may be away for 8 minutes; 3 MB of memory. */
const REMEMBERED_CHANGES = 10_000;

/** Entries or changes in one event: 130 KB of text, which bounds the work in one turn. */
const BATCH = 500;

/**
 * Makes the feed of a discovery.
 * @param deps `all`: what is stored now; `random`: names this run, so that positions of another run are not mistaken
 */
export function createLocalFeed(
  deps: {
    readonly all: () => Promise<readonly MapTransport[]>;
    readonly random: Random;
    readonly remembered?: number;
  },
): LocalFeed {
  const { all, random, remembered = REMEMBERED_CHANGES } = deps;
  const run = formatHex(random.bytes(8));
  /** Change number n is at `n - first`; numbers begin with 1. */
  let log: TransportChange[] = [];
  let first = 1;
  const appended = new Signal();

  const last = (): number => first + log.length - 1;
  const positionOf = (number: number): string => `${run}-${number}`;
  const numberOf = (text: string | undefined): number | undefined => {
    const position = parsePosition(text);
    return position?.run === run && position.number <= last() ? position.number : undefined;
  };

  async function* snapshot(position: number): AsyncGenerator<FeedEvent> {
    const entries = await all();
    for (let at = 0; at === 0 || at < entries.length; at += BATCH) {
      const isLast = at + BATCH >= entries.length;
      yield {
        type: "snapshot",
        isFirst: at === 0,
        isLast,
        entries: entries.slice(at, at + BATCH),
        ...(isLast ? { position: positionOf(position) } : {}),
      };
    }
  }

  async function* follow(
    { after, signal }: { readonly after?: string | undefined; readonly signal: AbortSignal },
  ): AsyncGenerator<FeedEvent> {
    let position = numberOf(after);
    while (true) {
      signal.throwIfAborted();
      if (position === undefined || position < first - 1) {
        // Read the position before the entries: a change in between is told twice, never lost.
        position = last();
        yield* snapshot(position);
      } else if (position < last()) {
        const changes = log.slice(position - first + 1, position - first + 1 + BATCH);
        position += changes.length;
        yield { type: "changes", changes, position: positionOf(position) };
      } else {
        await appended.next(signal);
      }
    }
  }

  return {
    follow,
    get position(): string {
      return positionOf(last());
    },
    append: (changes) => {
      if (changes.length === 0) return;
      log.push(...changes);
      // Cutting now and then costs less than shifting each time.
      if (log.length > 2 * remembered) {
        first += log.length - remembered;
        log = log.slice(-remembered);
      }
      appended.notify();
    },
  };
}
