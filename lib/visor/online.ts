/**
 * Ends early what needs the network while the visor is offline. Setup nodes are reached over messaging, so without a
 * messaging session no route can be had; waiting longer tells nobody anything.
 */

import { UnavailableError } from "../errors/mod.ts";
import type { MessagingClient } from "../messaging/mod.ts";
import { sleep, type Timers, untilAborted } from "../runtime/mod.ts";

/** A session that was cut is back by then, unless its server is gone, ms. */
const OFFLINE_AFTER_MS = 1_500;

/**
 * Does the work, unless the visor has no messaging session 1.5 s later, or when the work fails.
 * @param work gets a signal that ends it
 * @throws {UnavailableError} `visor/offline`; what the work throws
 */
export async function whileOnline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { messaging, timers, signal }: {
    readonly messaging: Pick<MessagingClient, "sessions">;
    readonly timers: Timers;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<T> {
  const offline = new AbortController(), done = new AbortController();
  sleep(timers, OFFLINE_AFTER_MS, done.signal).then(() => {
    if (messaging.sessions.length === 0) offline.abort(offlineError(undefined));
  }, () => {});
  try {
    const over = AbortSignal.any([offline.signal, ...(signal === undefined ? [] : [signal])]);
    return await untilAborted(work(over), over);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UnavailableError && messaging.sessions.length === 0) {
      throw offline.signal.aborted ? offline.signal.reason : offlineError(error);
    }
    throw error;
  } finally {
    done.abort();
  }
}

function offlineError(cause: unknown): UnavailableError {
  return new UnavailableError(
    "visor/offline",
    "Reach the network: this visor is offline, none of the network's messaging servers answers; `skywire status` says more",
    { cause },
  );
}
