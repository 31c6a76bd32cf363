/**
 * Measuring the way to a visor, and letting others measure the way to us, with no app involved. The round trips are
 * Ping and Pong packets of the route group, which the core answers; port 48 only gives a group to do it on. v1.3 pings
 * itself through a loop of routes instead (visor-and-apps.md §2.7), so its visors need nothing here.
 * Tested in tests/sim/map_test.ts.
 */

import { type Port, type PublicKey, visorsOf } from "../types/mod.ts";
import type { RouteConnection } from "./route_connection.ts";
import type { KeyedListener } from "../overlay/mod.ts";
import type { RouteConstraints } from "../services/route_finder/mod.ts";

/** The well-known port of v1.3's ping (routing.md §8.6). */
export const PING_PORT: Port = 48;

/** Connections that are held open for others at a time; the oldest goes first. */
const MAX_HELD = 64;

/** Room for one record; a pinger sends none. */
const DISCARD_BYTES = 4_096;

/** What {@link pingPeer} found. */
export interface PingResult {
  /** Who was asked. */
  readonly to: PublicKey;
  /** Transports on the way. */
  readonly hops: number;
  /** From this visor to `to`, both included. */
  readonly visors: readonly PublicKey[];
  /** How long finding the route, its set-up and the handshake took, ms. */
  readonly setupMs: number;
  /** There and back, ms, in the order measured. */
  readonly rttMs: readonly number[];
}

/** How {@link pingPeer} goes about it. */
export interface PingOptions extends RouteConstraints {
  /** How many round trips, ≥ 1; default 1. */
  readonly count?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** What pings go through. */
export interface PingDialer {
  /** As `Router.dial`. */
  dial(
    remote: PublicKey,
    port: Port,
    options?: RouteConstraints & { readonly signal?: AbortSignal },
  ): Promise<RouteConnection>;
}

/**
 * Sets up a route to the ping port of a visor and measures the round trip over it.
 * @throws as `Router.dial` and `RouteConnection.ping`
 */
export async function pingPeer(
  router: PingDialer,
  remote: PublicKey,
  { count = 1, signal, ...constraints }: PingOptions = {},
): Promise<PingResult> {
  await using connection = await router.dial(remote, PING_PORT, { ...constraints, ...(signal && { signal }) });
  const rttMs: number[] = [];
  while (rttMs.length < count) rttMs.push(await connection.ping(signal));
  return {
    to: remote,
    hops: connection.route.length,
    visors: visorsOf(connection.route),
    setupMs: connection.setupMs ?? 0,
    rttMs,
  };
}

/**
 * Holds connections to the ping port open until the other side closes them, a bounded number at a time. What comes on
 * them is thrown away, so that a full inbox does not hold up the transport it came over.
 */
export async function servePings(listener: KeyedListener<RouteConnection>): Promise<void> {
  const held = new Set<RouteConnection>();
  for await (const connection of listener) {
    held.add(connection);
    discard(connection).finally(() => held.delete(connection));
    if (held.size > MAX_HELD) held.values().next().value?.close();
  }
}

async function discard(connection: RouteConnection): Promise<void> {
  const chunk = new Uint8Array(DISCARD_BYTES);
  try {
    while (await connection.read(chunk) !== null);
  } catch {
    // The route broke, which ends it as well as a close does.
  }
  connection.close();
}
