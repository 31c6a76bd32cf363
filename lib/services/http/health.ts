/** `GET /health` as every v1.3 service answers it (dmsg.md §6.8): what it is, and since when it runs. */

import type { Clock } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { JSON_TYPE, type Route } from "./app.ts";

/** What is known of the program; "unknown" where it is not, as v1.3 says. */
export interface BuildInfo {
  /** Such as `v0.1.0`. */
  readonly version?: string;
  /** The revision of the source. */
  readonly commit?: string;
  /** ISO 8601 */
  readonly date?: string;
}

/** What {@link healthRoute} tells. */
export interface HealthDeps {
  /** Tells the time of the start. */
  readonly clock: Clock;
  /** What is known of the program. */
  readonly build?: BuildInfo | undefined;
  /** Where the service is reached over messaging, `<key>:80`; left out when it is not. */
  readonly messagingAddress?: string | undefined;
  /** Through which servers. */
  readonly messagingServers?: () => readonly PublicKey[];
}

/** The route. The time of the start is now. */
export function healthRoute(deps: HealthDeps): Route {
  const { version = "unknown", commit = "unknown", date = "unknown" } = deps.build ?? {};
  const startedAt = formatGoTime(deps.clock.wallNanos());
  return {
    method: "GET",
    path: "/health",
    handle: () => {
      const servers = deps.messagingServers?.() ?? [];
      const health = {
        build_info: { version, commit, date },
        started_at: startedAt,
        ...(deps.messagingAddress === undefined ? {} : { dmsg_address: deps.messagingAddress }),
        ...(servers.length === 0 ? {} : { dmsg_servers: servers }),
      };
      return new Response(JSON.stringify(health), { headers: JSON_TYPE });
    },
  };
}

/** RFC 3339 in UTC with the digits of the nanoseconds that count, as Go writes it. @param nanos Unix time, ns, ≥ 0 */
export function formatGoTime(nanos: bigint): string {
  const seconds = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}
