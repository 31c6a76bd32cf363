/** The events of a visor. Tested in tests/visor/events/part_test.ts. */

import * as v from "valibot";
import type { SocksRefusal } from "../../apps/mod.ts";
import type { GroupCloseReason } from "../../routing/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import { wholeKey } from "../control/keys.ts";
import { viewSchema } from "../control/operation.ts";
import { type StatusCheck, statusCheckSchema } from "../status/view.ts";
import { transportSchema, type TransportView } from "../transports/view.ts";

/** A connection, as events show it. */
export interface RouteEventView {
  /** The visor at the other end. */
  readonly remote: PublicKey;
  /** The port at the other end, 1–65535. */
  readonly remotePort: Port;
  /** The port at this end, 1–65535. */
  readonly localPort: Port;
  /** The visors of the path, both ends included. Empty when the other visor dialled: only that visor knows the path. */
  readonly path: readonly PublicKey[];
}

/**
 * Something that happened at a visor. `at` says when, ISO 8601; `type` says what.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createSimulation } from "../../simulation/mod.ts";
 * import { createVisor } from "../mod.ts";
 *
 * const network = createSimulation();
 * const a = await network.run(createVisor({ network, data: "a" }));
 * const events = a.events()[Symbol.asyncIterator]();
 * const b = await network.run(createVisor({ network, data: "b", join: a.ticket }));
 * const [{ value: event }] = await network.run(Promise.all([events.next(), b.routes.ping(a.publicKey)]));
 * assert.equal(event.type, "transport-up");
 * for (const visor of [b, a]) await network.run(async () => await visor[Symbol.asyncDispose]());
 * ```
 */
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
    /** A connection goes over another route. `cause`: the one before failed, or this one is much better. */
    | {
      readonly type: "connection-moved";
      readonly route: RouteEventView;
      /** The visors of the path before, both ends included. */
      readonly from: readonly PublicKey[];
      /** The visors of the path now. */
      readonly to: readonly PublicKey[];
      readonly cause: "failed" | "better";
      /** For how long no route was known to work, ms. */
      readonly lostMs: number;
    }
    /** The proxy server turned a client away. There are a few such events a minute for one visor. */
    | { readonly type: "proxy-refused"; readonly refusal: SocksRefusal }
    /** A check of the status report became worse, or works again. */
    | { readonly type: "degraded" | "recovered"; readonly check: StatusCheck }
    /** Events are missing here, since the consumer was too slow. `count` is absent when their number is not known. */
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
  v.object({
    type: v.literal("connection-moved"),
    at,
    route,
    from: v.array(wholeKey),
    to: v.array(wholeKey),
    cause: v.picklist(["failed", "better"]),
    lostMs: v.number(),
  }),
  v.object({ type: v.literal("proxy-refused"), at, refusal }),
  v.object({ type: v.picklist(["degraded", "recovered"]), at, check: statusCheckSchema }),
  v.object({ type: v.literal("missed"), at, count: v.exactOptional(v.number()) }),
]);
