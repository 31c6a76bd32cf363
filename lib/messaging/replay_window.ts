/**
 * Tells stream requests that were seen before. A messaging server, or another that recorded a request, could send it again at
 * any time: v1.3 accepts it, does the work and fills an accept queue (dmsg.md §4.10, Q5).
 *
 * For each source, requests newer than its newest one minus a window are accepted once. Clocks of sources are not
 * compared with ours: nobody checks them in this network, and a wrong clock must not cut a visor off.
 */

import type { MonotonicMs, PublicKey } from "../types/mod.ts";

/** How much older than the newest request of its source one may be, ns: longer than any handshake takes. */
const WINDOW_NS = 60_000_000_000n;

/**
 * A source that sent nothing acceptable for so long starts anew, ms. So a source whose clock was set back is cut off no
 * longer than this; a recorded request can be replayed once in that time, which is harmless.
 */
const FORGET_MS = 600_000;

/** Requests remembered for one source. Beyond it its window gets shorter. */
const MAX_REQUESTS_OF_SOURCE = 4_096;

/** Requests remembered in all, some 150 bytes each. Beyond it the source that is silent longest is forgotten. */
const MAX_REQUESTS_IN_ALL = 16_384;

interface Source {
  newest: bigint;
  /** Requests at or before this time are refused. */
  floor: bigint;
  lastAt: MonotonicMs;
  /** Hash → timestamp, oldest arrival first. */
  readonly seen: Map<string, bigint>;
}

/** A request as the window sees it. */
export interface SeenRequest {
  /** Who signed it; the signature has been checked. */
  readonly source: PublicKey;
  /** Unix time by the source's clock, ns */
  readonly timestamp: bigint;
  /** Identifies it: SHA-256 of the signed object, hex. */
  readonly hash: string;
}

/** Memory of requests, bounded. */
export class ReplayWindow {
  // Least recently used first.
  readonly #sources = new Map<PublicKey, Source>();
  #requests = 0;

  /**
   * Is the request new? Remembers it if so.
   * @param request checked already
   * @param now monotonic ms
   */
  admit(request: SeenRequest, now: MonotonicMs): boolean {
    const source = this.#sourceOf(request, now);
    if (request.timestamp <= source.floor || source.seen.has(request.hash)) return false;
    source.seen.set(request.hash, request.timestamp);
    this.#requests++;
    source.lastAt = now;
    if (request.timestamp > source.newest) {
      source.newest = request.timestamp;
      const floor = source.newest - WINDOW_NS;
      if (floor > source.floor) source.floor = floor;
    }
    this.#prune(source);
    this.#forgetSources();
    return true;
  }

  #sourceOf(request: SeenRequest, now: MonotonicMs): Source {
    let source = this.#sources.get(request.source);
    if (source !== undefined) this.#forget(request.source, source);
    if (source === undefined || now - source.lastAt > FORGET_MS) {
      source = { newest: request.timestamp, floor: request.timestamp - WINDOW_NS, lastAt: now, seen: new Map() };
    }
    this.#sources.set(request.source, source);
    this.#requests += source.seen.size;
    return source;
  }

  /** Forgets requests that the floor refuses anyway, raising the floor when there are too many. */
  #prune(source: Source): void {
    for (const [hash, timestamp] of source.seen) {
      if (timestamp > source.floor) {
        if (source.seen.size <= MAX_REQUESTS_OF_SOURCE) break;
        source.floor = timestamp;
      }
      source.seen.delete(hash);
      this.#requests--;
    }
  }

  #forgetSources(): void {
    for (const [key, source] of this.#sources) {
      if (this.#requests <= MAX_REQUESTS_IN_ALL) break;
      this.#forget(key, source);
    }
  }

  #forget(key: PublicKey, source: Source): void {
    this.#sources.delete(key);
    this.#requests -= source.seen.size;
  }
}
