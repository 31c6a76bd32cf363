/**
 * Joins two byte links: what comes on one goes out on the other, and an end as an end, a break as a break. Memory is bounded
 * by one buffer a direction; a slow reader slows its writer down.
 */

import type { ByteLink, Clock, Counter, Timers } from "../runtime/mod.ts";
import { LinkReader } from "./link_reader.ts";

/** How long a half-closed relay may be idle, ms: v1.3 gives a stream as long to end after a close (dmsg.md §3.2). */
const HALF_CLOSED_IDLE_MS = 300_000;

/** One side of a relay. */
export interface RelaySide {
  readonly link: ByteLink;
  /** Reads `link`. Default: a new one. */
  readonly reader?: LinkReader;
  /** Sees what comes from this side before it goes on. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/** What a relay needs beside its two sides. */
export interface RelayOptions {
  /** Ends the relay when nothing has moved for so long. Default: never. */
  readonly idle?: IdleLimit;
  /** Does the end of one direction end the other, too? Default: only where a link can only end as a whole. */
  readonly endsTogether?: boolean;
  /** Counts the bytes that went on. */
  readonly relayed?: Pick<Counter, "add">;
  /** Ends the relay. */
  readonly signal?: AbortSignal;
}

/** How long a relay may be idle. Once half closed, it may be idle for 5 minutes at most. */
export interface IdleLimit {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Ms. */
  readonly ms: number;
}

/** How a relay ended. */
export interface RelayEnd {
  /** Whose link broke, or what else ended it; undefined when both directions ended in order. */
  readonly broken?: "a" | "b" | "idle" | "aborted";
}

/**
 * Relays until both directions have ended, either link breaks, or nothing moves any more. A direction that ends is passed
 * on alone, so that a client that has said everything still gets its answer. Neither link is closed here: see
 * {@link endLink}. Reads and writes may still be pending then; they end with the links.
 * @param a one side
 * @param b the other
 */
export function relay(a: RelaySide, b: RelaySide, options: RelayOptions = {}): Promise<RelayEnd> {
  const { idle, endsTogether = false, relayed, signal } = options;
  const { promise, resolve } = Promise.withResolvers<RelayEnd>();
  const watch = idle === undefined ? undefined : watchIdle(idle, () => finish({ broken: "idle" }));
  let over = false;
  let ended = 0;
  const finish = (end: RelayEnd): void => {
    over = true;
    watch?.stop();
    signal?.removeEventListener("abort", onAbort);
    resolve(end);
  };
  const onAbort = (): void => finish({ broken: "aborted" });
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();

  /** Copies one direction; `from` and `to` name the sides for the outcome. */
  const copy = async (source: RelaySide, target: RelaySide, names: readonly ["a" | "b", "a" | "b"]): Promise<void> => {
    const [from, to] = names;
    const { reader = new LinkReader(source.link) } = source;
    for (;;) {
      const bytes = await reader.peek().catch(() => undefined);
      if (over) return;
      if (bytes === undefined) return finish({ broken: from });
      if (bytes === null) break;
      watch?.touch();
      source.onBytes?.(bytes);
      // They stay where they are until the next read, which comes after the write.
      reader.skip(bytes.length);
      try {
        await target.link.write(bytes);
      } catch {
        return finish({ broken: to });
      }
      relayed?.add(bytes.length);
      if (over) return;
      watch?.touch();
    }
    ended++;
    if (ended === 2 || endsTogether || target.link.closeWrite === undefined) return finish({});
    target.link.closeWrite();
    watch?.shorten(HALF_CLOSED_IDLE_MS);
  };
  void copy(a, b, ["a", "b"]);
  void copy(b, a, ["b", "a"]);
  return promise;
}

/** Passes the end of a relay on to one of its links: an end in order as an end, everything else as a break. */
export function endLink(link: ByteLink, { broken }: RelayEnd): void {
  if (broken === undefined) link.close();
  else breakLink(link);
}

/** Ends a link so that the other side sees a break; where the link cannot do that, so that it sees an end. */
export function breakLink(link: ByteLink): void {
  if (link.reset === undefined) link.close();
  else link.reset();
}

/** See {@link watchIdle}. */
interface IdleWatch {
  touch(): void;
  /** Makes the limit smaller from now on. */
  shorten(ms: number): void;
  stop(): void;
}

/** Calls back when it has not been touched for so long. One timer, renewed when it fires: touching is free. */
function watchIdle({ clock, timers, ms }: IdleLimit, onIdle: () => void): IdleWatch {
  let limitMs = ms;
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
