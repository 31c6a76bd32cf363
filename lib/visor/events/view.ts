/** What happens at a visor, as it is told. */

import type { GroupCloseReason } from "../../routing/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import type { StatusCheck } from "../status/view.ts";
import type { TransportView } from "../transports/view.ts";

/** A connection that events tell of. */
export interface RouteEventView {
  /** The visor at the other end. */
  readonly remote: PublicKey;
  /** Its port. */
  readonly remotePort: Port;
  /** The port here. */
  readonly localPort: Port;
  /** Both ends included. Empty when the other visor dialled: it alone knows the path. */
  readonly path: readonly PublicKey[];
}

/** Something that happened. `at` is ISO 8601. */
export type VisorEvent =
  & { readonly at: string }
  & (
    | {
      readonly type: "transport-up" | "transport-down" | "transport-removed";
      readonly transport: TransportView;
      /** Why it went down. */
      readonly reason?: string;
    }
    | { readonly type: "route-set-up"; readonly route: RouteEventView; readonly setupMs?: number }
    | {
      readonly type: "route-ended";
      readonly route: RouteEventView;
      readonly reason: GroupCloseReason;
      readonly message?: string;
    }
    /** A check of the status report does worse, or works again. */
    | { readonly type: "degraded" | "recovered"; readonly check: StatusCheck }
    /** So many events were lost here: they came faster than they were taken. */
    | { readonly type: "missed"; readonly count: number }
  );
