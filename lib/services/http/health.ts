/**
 * `GET /health` as every v1.3 service answers it (dmsg.md §6.8): what it is, and since when it runs. Tested in
 * tests/network/join_messaging_test.ts.
 */

import * as v from "valibot";
import { HTTP_PORT } from "../../messaging/mod.ts";
import type { Clock } from "../../runtime/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import { JSON_TYPE } from "./app.ts";
import type { DocumentedRoute } from "./docs.ts";
import { described, keySchema } from "./schemas.ts";
import { TextResponse } from "./text_response.ts";

const healthSchema = v.object({
  build_info: v.object({ version: v.string(), commit: v.string(), date: v.string() }),
  started_at: described(v.string(), "RFC 3339, UTC, up to nanoseconds"),
  dmsg_address: v.optional(described(v.string(), "Where it is reached over messaging: <public key>:80")),
  dmsg_servers: v.optional(described(v.array(keySchema), "Through which messaging servers")),
  problems: v.optional(described(v.array(v.string()), "What has not worked for 10 s or more, a sentence each")),
});

/** Facts of the program, as `/health` shows them. An absent one is shown as "unknown", as in v1.3. */
export interface BuildInfo {
  /** The version, such as `v0.1.0`. */
  readonly version?: string;
  /** The revision of the source. */
  readonly commit?: string;
  /** When it was built, ISO 8601. */
  readonly date?: string;
}

/** What {@link healthRoute} tells. */
export interface HealthDeps {
  /** Tells the time of the start. */
  readonly clock: Clock;
  /** What is known of the program. */
  readonly build?: BuildInfo | undefined;
  /** The client through which the service is reached over messaging, too; absent when it is not. */
  readonly messaging?: MessagingPresence | undefined;
  /** What has not worked for a while. */
  readonly problems?: (() => readonly string[]) | undefined;
}

/** A messaging client, as `/health` shows it. A {@link MessagingClient} fits. */
export interface MessagingPresence {
  /** The key that others dial. */
  readonly publicKey: PublicKey;
  /** The port that others dial; default 80. */
  readonly port?: Port;
  /** The servers through which it is reached. */
  readonly sessions: readonly { readonly server: PublicKey }[];
}

/** The route. The time of the start is now. */
export function healthRoute(deps: HealthDeps): DocumentedRoute {
  const { version = "unknown", commit = "unknown", date = "unknown" } = deps.build ?? {};
  const startedAt = formatGoTime(deps.clock.wallNanos());
  return {
    method: "GET",
    path: "/health",
    doc: {
      summary: "What this service is, and since when it runs",
      answers: { 200: { text: "The service runs", json: healthSchema } },
    },
    handle: () => {
      const { messaging } = deps;
      const problems = deps.problems?.() ?? [];
      const servers = messaging?.sessions.map(({ server }) => server) ?? [];
      const health = {
        build_info: { version, commit, date },
        started_at: startedAt,
        ...(messaging === undefined ? {} : { dmsg_address: `${messaging.publicKey}:${messaging.port ?? HTTP_PORT}` }),
        ...(servers.length === 0 ? {} : { dmsg_servers: servers }),
        ...(problems.length === 0 ? {} : { problems }),
      };
      return new TextResponse(JSON.stringify(health), { headers: JSON_TYPE });
    },
  };
}

/** RFC 3339 in UTC with the digits of the nanoseconds that count, as Go writes it. @param nanos Unix time, ns, ≥ 0 */
export function formatGoTime(nanos: bigint): string {
  const seconds = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}
