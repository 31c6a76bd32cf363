/** What happens at a visor, as it is told. Tested in tests/visor/events/part_test.ts. */

import * as v from "valibot";
import type { SocksRefusal } from "../../apps/mod.ts";
import type { GroupCloseReason } from "../../routing/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";
import { type StatusCheck, statusCheckSchema } from "../status/view.ts";
import { transportSchema, type TransportView } from "../transports/view.ts";

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
      /** Why it went down, or was removed. */
      readonly reason?: string;
    }
    | { readonly type: "route-set-up"; readonly route: RouteEventView; readonly setupMs?: number }
    | {
      readonly type: "route-ended";
      readonly route: RouteEventView;
      readonly reason: GroupCloseReason;
      readonly message?: string;
    }
    /** The proxy server turned a client away. Of one visor a few a minute are told. */
    | { readonly type: "proxy-refused"; readonly refusal: SocksRefusal }
    /** A check of the status report does worse, or works again. */
    | { readonly type: "degraded" | "recovered"; readonly check: StatusCheck }
    /** Events are missing here: they came faster than they were taken. `count` is absent when nobody knows how many. */
    | { readonly type: "missed"; readonly count?: number }
  );

const route = viewSchema<RouteEventView>()(v.object({
  remote: wholeKey,
  remotePort: v.number(),
  localPort: v.number(),
  path: v.array(wholeKey),
}));
const refusal = viewSchema<SocksRefusal>()(v.object({
  remote: wholeKey,
  why: v.picklist(["key", "passcode", "destination", "full"]),
  destination: v.exactOptional(v.string()),
  leftOut: v.exactOptional(v.number()),
}));
const at = v.string();

/** Describes a {@link VisorEvent}. */
export const eventSchema: v.GenericSchema<VisorEvent> = v.variant("type", [
  v.object({
    type: v.picklist(["transport-up", "transport-down", "transport-removed"]),
    at,
    transport: transportSchema,
    reason: v.exactOptional(v.string()),
  }),
  v.object({ type: v.literal("route-set-up"), at, route, setupMs: v.exactOptional(v.number()) }),
  v.object({
    type: v.literal("route-ended"),
    at,
    route,
    reason: v.picklist(["local", "remote", "expired", "link-down", "silence", "fault"]),
    message: v.exactOptional(v.string()),
  }),
  v.object({ type: v.literal("proxy-refused"), at, refusal }),
  v.object({ type: v.picklist(["degraded", "recovered"]), at, check: statusCheckSchema }),
  v.object({ type: v.literal("missed"), at, count: v.exactOptional(v.number()) }),
]);
