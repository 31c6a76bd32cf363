/**
 * How many requests a client may send: a token bucket for each address, in bounded memory.
 *
 * A bucket is one number, the time at which it will be full again (the generic cell rate algorithm). A request moves this
 * time forward by the time of one token. It is refused when the bucket has no token left. A full bucket needs no memory: an
 * address that is not kept has a full one. Tested in tests/services/http/service_app_test.ts.
 */

import { UnavailableError } from "../../errors/mod.ts";
import type { Clock } from "../../runtime/mod.ts";

/** How many requests one client address may send. */
export interface RateLimit {
  /** Requests a second in the long run, ≥ 0; 0: no limit. */
  readonly perSecond: number;
  /** Requests at once after a pause, ≥ 1. */
  readonly burst: number;
}

/**
 * A quarter of the signed requests that one core checks (design.md §8), so that one address cannot take the service from
 * all others; far beyond what visors send. The burst is what hundreds of visors behind one NAT send when they start.
 */
export const DEFAULT_RATE_LIMIT: RateLimit = { perSecond: 1_000, burst: 4_000 };

/** Buckets of one generation; two are kept. 100 bytes each. */
const MAX_BUCKETS = 8_192;

/** Counts requests by address. */
export interface RateLimiter {
  /** Takes a token. @returns 0, or how long to wait for one, ms */
  take(remote: string): number;
}

/** Makes one. @param deps where time comes from, and how many requests */
export function createRateLimiter(
  deps: { readonly clock: Pick<Clock, "monotonic">; readonly limit: RateLimit },
): RateLimiter {
  const { clock, limit } = deps;
  const tokenMs = 1000 / limit.perSecond, depthMs = tokenMs * limit.burst;
  // A bucket that was not used for a generation is forgotten, which fills it. So nothing searches for the oldest bucket.
  let young = new Map<string, number>(), old = new Map<string, number>();
  return {
    take(remote): number {
      if (remote === "" || limit.perSecond === 0) return 0;
      const key = bucketOf(remote);
      const now: number = clock.monotonic();
      const fullAt = Math.max(young.get(key) ?? old.get(key) ?? now, now) + tokenMs;
      if (fullAt - now > depthMs) return fullAt - now - depthMs;
      if (young.size >= MAX_BUCKETS && !young.has(key)) [old, young] = [young, new Map()];
      young.set(key, fullAt);
      return 0;
    },
  };
}

/** The error of a request that came too early. @param waitMs what {@link RateLimiter.take} gave, ms */
export function tooManyRequests(waitMs: number): UnavailableError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new UnavailableError(
    "http/too-many-requests",
    `Too many requests from this address: come back in ${retryAfterSeconds} s`,
    { details: { retryAfterSeconds } },
  );
}

/**
 * Who shares a bucket: a host of IPv4, a network of 64 bits of IPv6 (a single customer has one at least), a key.
 * @param remote `host:port`, `[host]:port`, or `<key>:port` over messaging
 */
export function bucketOf(remote: string): string {
  const host = remote.slice(0, remote.lastIndexOf(":"));
  if (!host.startsWith("[")) return host;
  const address = host.slice(1, -1);
  // IPv4 in IPv6's clothes.
  if (address.includes(".")) return address.slice(address.lastIndexOf(":") + 1);
  const [left = [], right = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
