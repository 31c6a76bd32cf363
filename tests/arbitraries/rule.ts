/** Routing rules and what they are made of. */

import fc from "fast-check";
import { publicKeyOf, type Rule } from "../../lib/core/mod.ts";
import {
  NULL_PUBLIC_KEY,
  type OverlayAddress,
  type PublicKey,
  type RouteDescriptor,
  SecretKey,
  type TransportId,
  transportIdOf,
} from "../../lib/types/mod.ts";
import { PLAIN, routeIds } from "./packet.ts";

/** Keys of eight visors: making one costs a curve multiplication. */
const VISORS: readonly PublicKey[] = Array.from({ length: 8 }, (_, i) => {
  using secret = new SecretKey(new Uint8Array(32).fill(i + 1));
  return publicKeyOf(secret);
});

/** A valid key or the null key: what a rule on the wire may say. */
export const publicKeys: fc.Arbitrary<PublicKey> = fc.constantFrom(...VISORS, NULL_PUBLIC_KEY);

/** Any 16 bytes as a transport id. */
export const transportIds: fc.Arbitrary<TransportId> = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(
  transportIdOf,
);

const addresses: fc.Arbitrary<OverlayAddress> = fc.record(
  { publicKey: publicKeys, port: fc.nat({ max: 0xffff }) },
  PLAIN,
);

/** Any two ends. */
export const descriptors: fc.Arbitrary<RouteDescriptor> = fc.record(
  { source: addresses, destination: addresses },
  PLAIN,
);

/** Any i64, zero and negative ones included. */
export const keepAlives: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(0n, -1n, 30_000_000_000n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

const base = { routeId: routeIds, keepAliveNs: keepAlives };
const next = { nextRouteId: routeIds, nextTransportId: transportIds };

/** Any rule of each type. */
export const rules: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ type: fc.constant("consume" as const), ...base, descriptor: descriptors }, PLAIN),
  fc.record({ type: fc.constant("forward" as const), ...base, descriptor: descriptors, ...next }, PLAIN),
  fc.record({ type: fc.constant("intermediary" as const), ...base, ...next }, PLAIN),
);
