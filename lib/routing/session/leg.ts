/** One leg of a session: a route group, and the path that it takes. Tested in tests/sim/session_test.ts. */

import type { MonotonicMs, Path } from "../../types/mod.ts";
import type { Opening } from "../connection_table.ts";
import type { RouteGroup } from "../group.ts";

/** See the top of the file. */
export class Leg {
  /** Counted up by the initiator; each is used once (sessions.md §1.3). */
  readonly number: number;
  /** Its group, and the rules of that. */
  readonly opening: Opening;
  /** From here to the other end; empty when the other end dialled. */
  readonly route: Path;
  /** Shall it carry data, or wait? */
  inUse: boolean;

  constructor(parts: Pick<Leg, "number" | "opening" | "route" | "inUse">) {
    this.number = parts.number;
    this.opening = parts.opening;
    this.route = parts.route;
    this.inUse = parts.inUse;
  }

  /** Its group in the switch. */
  get group(): RouteGroup {
    return this.opening.group;
  }

  /** Does it bring something when it should? */
  get isLive(): boolean {
    return this.group.end === undefined && this.group.silentSince === undefined;
  }

  /** Since when it brings nothing; undefined while it is live, and when it has ended. */
  get silentSince(): MonotonicMs | undefined {
    return this.group.silentSince;
  }
}
