/**
 * Joins two byte links: what comes on one goes out on the other. The end of one direction is passed on alone where the
 * link can do that, so that a client that has said everything still gets its answer.
 * Tested in tests/apps/socks/broken_route_test.ts.
 */

import type { ByteLink, Clock, Timers } from "../runtime/mod.ts";
import type { LinkReader } from "./link_reader.ts";

/** How long a half-closed relay may be idle: v1.3 gives a stream as long to end after a close (dmsg.md §3.2). */
const HALF_CLOSED_IDLE_MS = 300_000;

/** One side of a relay. */
export interface RelaySide {
  readonly link: ByteLink;
  /** Reads `link`. */
  readonly reader: LinkReader;
  /** Sees what comes from this side before it goes on. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/** What a relay needs beside its two sides. */
export interface RelayOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Ends the relay when nothing has moved for so long, ms. */
  readonly idleMs: number;
  /** Ends the relay. */
  readonly signal?: AbortSignal;
}

/** How a relay ended. */
export interface RelayEnd {
  /** Whose link broke, or what else ended it; undefined when both directions ended in order. */
  readonly broken?: "a" | "b" | "idle" | "aborted";
}

/**
 * Relays until both directions have ended, either link breaks, or nothing moves any more. It closes nothing: that is up
 * to the caller, who knows what a break means. Reads and writes may still be pending then; they end with the links.
 * @param a one side
 * @param b the other
 * @param options clock, timers, limit
 */
export function relay(a: RelaySide, b: RelaySide, options: RelayOptions): Promise<RelayEnd> {
  const { promise, resolve } = Promise.withResolvers<RelayEnd>();
  const watch = watchIdle(options, () => finish({ broken: "idle" }));
  let over = false;
  let ended = 0;
  const finish = (end: RelayEnd): void => {
    over = true;
    watch.stop();
    options.signal?.removeEventListener("abort", onAbort);
    resolve(end);
  };
  const onAbort = (): void => finish({ broken: "aborted" });
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  /** Copies one direction; `from` and `to` name the sides for the outcome. */
  const copy = async (source: RelaySide, target: RelaySide, names: readonly ["a" | "b", "a" | "b"]): Promise<void> => {
    const [from, to] = names;
    for (;;) {
      const bytes = await source.reader.peek().catch(() => undefined);
      if (over) return;
      if (bytes === undefined) return finish({ broken: from });
      if (bytes === null) break;
      watch.touch();
      source.onBytes?.(bytes);
      // They stay where they are until the next read, which comes after the write.
      source.reader.take(bytes.length);
      try {
        await target.link.write(bytes);
      } catch {
        return finish({ broken: to });
      }
      if (over) return;
      watch.touch();
    }
    ended++;
    // A link without half-close ends as a whole.
    if (ended === 2 || target.link.closeWrite === undefined) return finish({});
    target.link.closeWrite();
    watch.shorten(HALF_CLOSED_IDLE_MS);
  };
  void copy(a, b, ["a", "b"]);
  void copy(b, a, ["b", "a"]);
  return promise;
}

/** See {@link watchIdle}. */
interface IdleWatch {
  touch(): void;
  /** Makes the limit smaller from now on. */
  shorten(ms: number): void;
  stop(): void;
}

/** Calls back when it has not been touched for `idleMs`. One timer, renewed when it fires: touching is free. */
function watchIdle({ clock, timers, idleMs }: RelayOptions, onIdle: () => void): IdleWatch {
  let limitMs = idleMs;
  let touched = clock.monotonic();
  let cancel = timers.after(limitMs, check);
  function check(): void {
    const left = touched + limitMs - clock.monotonic();
    if (left <= 0) onIdle();
    else cancel = timers.after(left, check);
  }
  return {
    touch: () => void (touched = clock.monotonic()),
    shorten(ms: number): void {
      limitMs = Math.min(limitMs, ms);
      cancel();
      cancel = timers.after(limitMs, check);
    },
    stop: () => cancel(),
  };
}
