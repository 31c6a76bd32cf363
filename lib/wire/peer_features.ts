/**
 * What a visor can do beyond v1.3. Two visors agree on it at settlement (extensions.md §1.1):
 *
 * ```
 *   S1   {"entry":…,"signatures":[…],"answers_pings":true}    a member for each feature that the initiator has
 *   S2   01 a5                                                 a byte for each of them that the responder has, too
 * ```
 *
 * v1.3 ignores members that it does not know (transports.md §0.2), and no packet begins with one of the bytes
 * (routing.md §1.2).
 *
 * Tested in tests/transport/settlement_test.ts.
 */

import { Fault } from "./fault.ts";
import { JsonObject } from "./go_json.ts";

/** A word for one thing that a visor can do. `transport-pings`: it answers pings of a transport (extensions.md §1.2). */
export type PeerFeature = "transport-pings";

/** The features of a visor, or those that two visors have agreed on. */
export type PeerFeatures = ReadonlySet<PeerFeature>;

/** What a visor of v1.3 has. */
export const NO_FEATURES: PeerFeatures = new Set();

/** What this program has. */
export const OUR_FEATURES: PeerFeatures = new Set(["transport-pings"]);

/** How a feature is said in S1 and S2. The order is that on the wire. */
const ON_WIRE: readonly { readonly feature: PeerFeature; readonly member: string; readonly mark: number }[] = [
  { feature: "transport-pings", member: "answers_pings", mark: 0xa5 },
];

/** Is a peer with these features one of v1.3? It has none. */
export function isV13(features: PeerFeatures): boolean {
  return features.size === 0;
}

/** The JSON text of a signed entry with the members of S1. @param text an object that is not empty */
export function addFeatureMembers(text: string, features: PeerFeatures): string {
  const members = ON_WIRE.filter(({ feature }) => features.has(feature)).map(({ member }) => `,"${member}":true`);
  return `${text.slice(0, -1)}${members.join("")}}`;
}

/** The features that S1 offers. What is unknown or malformed is none. @param text JSON */
export function parseFeatureMembers(text: string): PeerFeatures {
  const object = JsonObject.parse(text);
  if (object instanceof Fault) return NO_FEATURES;
  const offered = ON_WIRE.filter(({ member }) => object.boolean(member));
  return object.fault === undefined ? new Set(offered.map(({ feature }) => feature)) : NO_FEATURES;
}

/** What both have. */
export function commonFeatures(ours: PeerFeatures, theirs: PeerFeatures): PeerFeatures {
  return new Set([...ours].filter((feature) => theirs.has(feature)));
}

/** The bytes of S2 that follow `01`. */
export function encodeFeatureMarks(agreed: PeerFeatures): readonly number[] {
  return ON_WIRE.filter(({ feature }) => agreed.has(feature)).map(({ mark }) => mark);
}

/**
 * Reads the marks at the beginning of what followed `01`.
 * @param bytes what came; packets may follow the marks
 * @param offered what S1 offered; a mark of something else is the first byte of a packet
 * @returns what is agreed on, and how many bytes said so
 */
export function takeFeatureMarks(
  bytes: Uint8Array,
  offered: PeerFeatures,
): { readonly agreed: PeerFeatures; readonly used: number } {
  const agreed = new Set<PeerFeature>();
  for (const { feature, mark } of ON_WIRE) {
    if (offered.has(feature) && bytes[agreed.size] === mark) agreed.add(feature);
  }
  return { agreed, used: agreed.size };
}
