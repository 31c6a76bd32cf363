/**
 * Keeps our own entry in the messaging discovery: published when it changes and every minute, with growing sequence,
 * for ever, whatever happens to the discovery meanwhile; removed at the end (dmsg.md §6.6).
 *
 * v1.3 asks for the stored entry before each post, and posts sequence 0 when that fails for any reason, which a discovery
 * that does have an entry refuses (dmsg.md Q23). Here a post follows from what we know; the discovery is asked when we know
 * nothing (after a start) or when it says that the sequence does not fit. Between posts it is asked whether the entry is
 * still there: one that vanished, since the discovery lost its store or somebody removed it (dmsg.md Q9), is back within 2 s, or
 * later where the discovery is slow to answer.
 */

import { describeError, hasCode } from "../errors/mod.ts";
import { Backoff, Signal, sleep, Trouble, withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { ENTRY_VERSION, signEntry } from "../wire/messaging_entry.ts";
import type { Entry } from "../wire/messaging_entry.ts";
import type { MessagingDirectory } from "./directory.ts";

/** The part of an entry that its owner decides. */
export type EntryContent = Pick<Entry, "client" | "clientType" | "server">;

/** How often the entry is refreshed: the stored entry of a server lives for 2 min (dmsg.md §6.5). */
export const ENTRY_INTERVAL_MS = 60_000;

/** A discovery that does not answer within it is asked again later. */
const REQUEST_LIMIT_MS = 10_000;

/** How often the discovery is asked whether the entry is still there, ms: it is back in 2 s. */
const CHECK_EVERY_MS = 1_500;

/**
 * The pause is this many times as long as the answer took: a discovery that has much to do is asked less often. Servers
 * are few, and without them nobody is reached; clients are thousands.
 */
const CHECK_PAUSE_FACTOR = { server: 10, client: 100 };

/** A discovery that was away is asked again within this, ms. */
const LONGEST_CHECK_PAUSE_MS = 15_000;

/** The removal at the end must not hold up the process. */
const REMOVE_LIMIT_MS = 1_000;

/** After a failure, growing. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

/** Posts of one round: the first, and two with a corrected sequence. */
const MAX_POSTS = 3;

/** What a publisher is made of. */
export interface EntryPublisherDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  readonly secret: SecretKey;
  readonly publicKey: PublicKey;
  readonly discovery: MessagingDirectory;
  /** Changes that come closer together than this are published together, ms. */
  readonly spacingMs: number;
  /** The content as it is now. */
  describe(): EntryContent;
}

/** See {@link createEntryPublisher}. */
export interface EntryPublisher {
  /** The content has changed: publish soon. */
  changed(): void;
  /** Resolves when the entry was published for the first time after {@link EntryPublisher.changed}. */
  readonly published: Promise<void>;
  /** Why it has not been possible to publish for 10 s or more; undefined while it is, or there is nothing to publish. */
  readonly problem: string | undefined;
  /** Stops, and removes the entry if there is one. Does not throw. */
  close(): Promise<void>;
}

/** Starts a publisher; it does nothing before the first {@link EntryPublisher.changed}. */
export function createEntryPublisher(deps: EntryPublisherDeps): EntryPublisher {
  const { runtime, discovery, publicKey, secret } = deps;
  const { clock, timers, log } = runtime;
  const closing = new AbortController();
  const backoff = new Backoff({ random: runtime.random, firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
  const published = Promise.withResolvers<void>();
  const trouble = new Trouble({
    timers,
    log,
    event: "entry-not-published",
    what: "the messaging discovery does not take the entry, so that others do not find this one",
  });
  /** The highest sequence that we know to be stored; undefined: ask. */
  let sequence: bigint | undefined;
  let dirty = false;
  let isStored = false;
  const change = new Signal();

  const limited = <T>(work: Promise<T>, ms = REQUEST_LIMIT_MS, signal?: AbortSignal): Promise<T> =>
    withTimeout(() => work, { timers, ms, code: "messaging/discovery-timeout", message: "Ask the discovery", signal });

  const fetchStored = (): Promise<Entry | undefined> =>
    limited(discovery.entry(publicKey), REQUEST_LIMIT_MS, closing.signal);

  const makeEntry = (content: EntryContent, at: { sequence: bigint; timestamp: bigint }): Entry =>
    signEntry({ version: ENTRY_VERSION, static: publicKey, ...at, ...content }, secret);

  /** One round. Newest information wins: what another process with our key published after us stays. */
  const publish = async (): Promise<void> => {
    const content = deps.describe();
    let timestamp = clock.wallNanos();
    let next = (sequence ?? (await fetchStored())?.sequence ?? -1n) + 1n;
    for (let posts = 1;; posts++) {
      try {
        await limited(
          discovery.publish(makeEntry(content, { sequence: next, timestamp }), { removedByNewer: true }),
          REQUEST_LIMIT_MS,
          closing.signal,
        );
        sequence = next;
        isStored = true;
        return;
      } catch (error) {
        const wrongSequence = hasCode(error, "discovery/wrong-sequence");
        if (posts === MAX_POSTS || !(wrongSequence || hasCode(error, "discovery/old-timestamp"))) throw error;
        const stored = await fetchStored();
        if (stored === undefined) {
          // Nothing is stored, and yet the discovery remembers a sequence of ours: of an entry that was removed.
          next = next > BigInt(clock.wallMs()) ? next + 1n : BigInt(clock.wallMs());
        } else {
          sequence = stored.sequence;
          if (wrongSequence && stored.timestamp > timestamp) return;
          next = stored.sequence + 1n;
          if (stored.timestamp >= timestamp) timestamp = stored.timestamp + 1n;
        }
      }
    }
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      if (!dirty) await change.next();
      if (closing.signal.aborted) return;
      dirty = false;
      trouble.lasts();
      try {
        await publish();
        trouble.ends();
        backoff.reset();
        published.resolve();
        await sleep(timers, deps.spacingMs, closing.signal);
        await rest(ENTRY_INTERVAL_MS - deps.spacingMs);
      } catch (error) {
        if (closing.signal.aborted) return;
        log.debug("entry-not-published-yet", { reason: describeError(error) });
        trouble.lasts(describeError(error));
        // A change, such as a session that is back, is a good moment to try again, too.
        await pause(backoff.nextMs());
      }
      dirty = true;
    }
  };

  /** Waits for a time, for a change, or until the discovery has lost the entry. */
  const rest = async (ms: number): Promise<void> => {
    if (discovery.isStored === undefined || !leadsAnywhere(deps.describe())) return await pause(ms);
    const endMs = clock.monotonic() + ms;
    const factor = deps.describe().server === undefined ? CHECK_PAUSE_FACTOR.client : CHECK_PAUSE_FACTOR.server;
    for (let pauseMs = CHECK_EVERY_MS;;) {
      await pause(Math.min(pauseMs, endMs - clock.monotonic()));
      const askedMs = clock.monotonic();
      if (dirty || closing.signal.aborted || askedMs >= endMs) return;
      const isThere = await limited(discovery.isStored(publicKey), REQUEST_LIMIT_MS, closing.signal).catch(() => true);
      if (!isThere) return log.debug("entry-gone");
      const tookMs = clock.monotonic() - askedMs;
      pauseMs = Math.min(Math.max(CHECK_EVERY_MS, factor * tookMs), LONGEST_CHECK_PAUSE_MS);
    }
  };

  /** Waits for a time or for a change. */
  const pause = async (ms: number): Promise<void> => {
    if (dirty) return;
    await change.nextWithin(timers, ms);
  };

  const running = run();
  return {
    published: published.promise,
    get problem(): string | undefined {
      return trouble.problem;
    },
    changed(): void {
      dirty = true;
      change.notify();
    },
    async close(): Promise<void> {
      if (closing.signal.aborted) return;
      closing.abort();
      change.notify();
      await running;
      trouble[Symbol.dispose]();
      if (!isStored) return;
      const last = makeEntry(deps.describe(), { sequence: (sequence ?? 0n) + 1n, timestamp: clock.wallNanos() });
      await limited(discovery.remove(last), REMOVE_LIMIT_MS).catch((error) =>
        log.debug("entry-not-removed", { reason: describeError(error) })
      );
    },
  };
}

/** Can anybody be reached by it? A client without sessions loses nothing with its entry. */
function leadsAnywhere({ client, server }: EntryContent): boolean {
  return server !== undefined || (client?.delegatedServers ?? []).length > 0;
}
