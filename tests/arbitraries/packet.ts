/** Packets of the data plane: any that can be written, and bytes in which something went wrong. */

import fc from "fast-check";
import type { Packet } from "../../lib/core/mod.ts";
import type { RouteId } from "../../lib/types/mod.ts";

/** Any route id, small ones and the largest more often than chance has it. */
export const routeIds: fc.Arbitrary<RouteId> = fc.oneof(
  fc.nat({ max: 5 }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constant(0xffff_ffff),
).map((id) => id as RouteId);

/** Records with the prototype that literals have, for `deepEqual`. */
export const PLAIN = { noNullPrototype: true } as const;

/** Any packet, of unknown types, too. */
export const packets: fc.Arbitrary<Packet> = fc.record({
  type: fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 255 })),
  routeId: routeIds,
  payload: fc.uint8Array({ maxLength: 600 }),
}, PLAIN);

/** How bytes are damaged: at which place, as a share of their length, and what happens there. */
export const damages: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.tuple(
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  fc.oneof(fc.constant("cut" as const), fc.integer({ min: 1, max: 255 })),
).map(([share, damage]) => (bytes) => {
  const at = Math.floor(share * bytes.length);
  return damage === "cut" ? bytes.slice(0, at) : bytes.map((byte, i) => i === at ? byte ^ damage : byte);
});
