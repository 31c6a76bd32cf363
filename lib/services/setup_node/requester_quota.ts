/**
 * How many route requests one visor may send to a setup node; a request costs a call to every visor of its route.
 * Tested in tests/services/setup_node/setup_node_test.ts.
 */

import { UnavailableError } from "../../errors/mod.ts";
import type { Clock } from "../../runtime/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";
import { SETUP_NODE_PORT } from "../../wire/setup_messages.ts";
import { formatTooManyRequests } from "../../wire/setup_refusal.ts";
import { createRateLimiter, type RateLimiter } from "../http/mod.ts";

/** How much a setup node does for one visor. */
export interface SetupNodeLimits {
  /**
   * Requests of one visor within a minute, good and bad ones alike. So many may come at once after a quiet minute. Further
   * requests are refused with the time to wait. Default 600; 0: no limit.
   *
   * The default is ten a second. A visor that dials hundreds of connections anew, twice, stays below it.
   */
  readonly requestsPerMinute?: number;
}

/** Counts requests by who sent them, in bounded memory. */
export class RequesterQuota {
  readonly #limiter: RateLimiter;

  /** Nobody has sent anything yet. */
  constructor({ clock, limits = {} }: { readonly clock: Clock; readonly limits?: SetupNodeLimits | undefined }) {
    const { requestsPerMinute = 600 } = limits;
    this.#limiter = createRateLimiter({
      clock,
      limit: { perSecond: requestsPerMinute / 60, burst: requestsPerMinute },
    });
  }

  /** Counts a request. @throws {UnavailableError} `setup/too-many-requests` (extensions.md §3.3) */
  take(requester: PublicKey): void {
    const waitMs = this.#limiter.take(`${requester}:${SETUP_NODE_PORT}`);
    if (waitMs === 0) return;
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    throw new UnavailableError(
      "setup/too-many-requests",
      formatTooManyRequests(shortKey(requester), retryAfterSeconds),
      { details: { retryAfterSeconds } },
    );
  }
}
