/**
 * Bounds what a server keeps of streams whose bytes go nowhere. While a stream is being opened, or its other end does not
 * read, its sender may fill the window of 256 KiB that v1.3 gives every stream (dmsg.md §3.2), and any key may have
 * hundreds of streams. A stream that moves on keeps nothing here for long. So only those that are held up count; when
 * there are too many, the one goes that has been held up longest.
 */

import type { Clock, Counter } from "../runtime/mod.ts";
import type { MuxStream } from "../links/mux_session.ts";
import type { MonotonicMs } from "../types/mod.ts";

/** Who is held up so long does not come back soon, ms: above the round trips and retries of bad links. */
const LONG_MS = 10_000;

/** Of the most streams that may be held up, the part that may be so for long. */
const LONG_PART = 1 / 4;

/** What {@link HeldStreams} is made of. */
export interface HeldStreamsDeps {
  readonly clock: Pick<Clock, "monotonic">;
  /** At a time; each may keep 256 KiB, and a buffer of 64 KiB on its way. */
  readonly most: number;
  /** Counts those that had to go. */
  readonly dropped: Counter;
}

interface Hold {
  readonly since: MonotonicMs;
  readonly drop: () => void;
}

/** The streams of a server that are held up at the moment. */
export class HeldStreams {
  readonly #deps: HeldStreamsDeps;
  /** Longest first. */
  readonly #holds = new Set<Hold>();

  constructor(deps: HeldStreamsDeps) {
    this.#deps = deps;
  }

  /** How many there are. */
  get size(): number {
    return this.#holds.size;
  }

  /**
   * A stream is held up from now on.
   * @param drop ends it
   * @returns to be called when it moves on, or has ended
   */
  hold(drop: () => void): () => void {
    const hold = { since: this.#deps.clock.monotonic(), drop };
    this.#holds.add(hold);
    this.#makeRoom(hold.since);
    return () => void this.#holds.delete(hold);
  }

  /** The stream, held up while it is written to. @param drop ends both of the streams that are joined */
  watch(stream: MuxStream, drop: () => void): MuxStream {
    return {
      remoteAddress: stream.remoteAddress,
      read: (into) => stream.read(into),
      write: async (bytes) => {
        const release = this.hold(drop);
        try {
          await stream.write(bytes);
        } finally {
          release();
        }
      },
      closeWrite: () => stream.closeWrite(),
      close: () => stream.close(),
      reset: () => stream.reset(),
    };
  }

  #makeRoom(now: MonotonicMs): void {
    const { most, dropped } = this.#deps;
    for (const hold of this.#holds) {
      const isTooMany = this.#holds.size > most;
      const isLong = this.#holds.size > most * LONG_PART && now - hold.since > LONG_MS;
      if (!isTooMany && !isLong) return;
      this.#holds.delete(hold);
      dropped.add();
      hold.drop();
    }
  }
}
