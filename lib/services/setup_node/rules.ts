/**
 * What a setup node computes: whether a route may be set up, how many ids each visor must reserve, and which rules make
 * the route (routing.md §5.4, 5.5). Pure functions.
 *
 * ```
 * path  S ──h0──► A ──h1──► D         S: Forward(key s, next a)   A: Intermediary(key a, next d)   D: Consume(key d)
 * ```
 */

import { encodeRule, type Rule } from "../../core/mod.ts";
import {
  type Hop,
  invertDescriptor,
  type PublicKey,
  type RouteDescriptor,
  type RouteId,
  shortKey,
  type TransportId,
  visorsOf,
} from "../../types/mod.ts";
import { type BidirectionalRoute, type EdgeRules, KEEP_ALIVE_RANGE_NS } from "../../wire/setup_messages.ts";

/** The longest path that is set up: as many hops as v1.3 visors ask the route finder for. */
export const MAX_PATH_HOPS = 50;

/**
 * The check of v1.3 (routing.md §5.4, step 1): both paths are there and join the right ends.
 * @returns v1.3's words for what is wrong, or undefined
 */
export function checkRouteAsV13(route: BidirectionalRoute): string | undefined {
  const { descriptor: { source, destination }, forward, reverse } = route;
  if (forward.length === 0) return "bidirectional route does not have forward hops";
  if (reverse.length === 0) return "bidirectional route does not have reverse hops";
  const joins = forward[0]?.from === source.publicKey && forward.at(-1)?.to === destination.publicKey &&
    reverse[0]?.from === destination.publicKey && reverse.at(-1)?.to === source.publicKey;
  return joins ? undefined : "bidirectional route has an invalid route description";
}

/** What the strict check compares with. */
export interface StrictCheck {
  /** Who asks, as the messaging stream proved it. */
  readonly requester: PublicKey;
}

/**
 * What v1.3 leaves unchecked, though each of its visors keeps to it (routing.md §5.4, W2): the requester is the source,
 * hops are contiguous, paths visit nobody twice and are not endless, a transport joins the same two visors wherever it is
 * named, and the keep-alive is sane. Whether a transport is there, its visors say: its kind may be one that is not known
 * here, so its id proves nothing.
 * @returns what is wrong, or undefined
 */
export function checkRouteStrictly(route: BidirectionalRoute, check: StrictCheck): string | undefined {
  const { descriptor, keepAliveNs, forward, reverse } = route;
  if (descriptor.source.publicKey !== check.requester) {
    return `only ${shortKey(descriptor.source.publicKey)} itself may ask for a route from it`;
  }
  if (keepAliveNs < KEEP_ALIVE_RANGE_NS.min || keepAliveNs > KEEP_ALIVE_RANGE_NS.max) {
    return `a keep-alive of ${keepAliveNs} ns is out of range`;
  }
  return checkPath(forward) ?? checkPath(reverse);
}

/** How many route ids each visor must reserve: one for each of its places in both paths. In order of first mention. */
export function countRouteIds(route: BidirectionalRoute): Map<PublicKey, number> {
  const counts = new Map<PublicKey, number>();
  for (const path of [route.forward, route.reverse]) {
    for (const visor of visorsOf(path)) counts.set(visor, (counts.get(visor) ?? 0) + 1);
  }
  return counts;
}

/** All rules of a route pair, as bytes. */
export interface RouteRules {
  /** For the source: the reply. */
  readonly initiator: EdgeRules;
  /** For the destination. */
  readonly responder: EdgeRules;
  /** For the visors between, in order of first mention. */
  readonly intermediary: ReadonlyMap<PublicKey, readonly Uint8Array[]>;
}

/**
 * Makes the rules of a checked route (routing.md §5.5): first the forward path, then the reverse one; the ids of each
 * visor are used in the order in which it gave them.
 * @param route passed both checks
 * @param reserved ids by visor
 * @returns the rules, or undefined when a visor gave too few ids
 */
export function makeRouteRules(
  route: BidirectionalRoute,
  reserved: ReadonlyMap<PublicKey, readonly RouteId[]>,
): RouteRules | undefined {
  const left = new Map([...reserved].map(([visor, ids]) => [visor, ids.values()]));
  const take = (visor: PublicKey): RouteId | undefined => left.get(visor)?.next().value;
  const options = { keepAliveNs: route.keepAliveNs, take };
  const inverse = invertDescriptor(route.descriptor);
  const forward = makePathRules(route.forward, { ...options, descriptor: route.descriptor });
  const reverse = makePathRules(route.reverse, { ...options, descriptor: inverse });
  if (forward === undefined || reverse === undefined) return undefined;
  const intermediary = new Map<PublicKey, Uint8Array[]>();
  for (const { visor, rule } of [...forward.between, ...reverse.between]) {
    intermediary.set(visor, [...intermediary.get(visor) ?? [], rule]);
  }
  return {
    initiator: { descriptor: inverse, forward: forward.first, consume: reverse.last },
    responder: { descriptor: route.descriptor, forward: reverse.first, consume: forward.last },
    intermediary,
  };
}

interface PathRules {
  readonly first: Uint8Array;
  readonly between: readonly { readonly visor: PublicKey; readonly rule: Uint8Array }[];
  readonly last: Uint8Array;
}

interface PathOptions {
  readonly descriptor: RouteDescriptor;
  readonly keepAliveNs: bigint;
  readonly take: (visor: PublicKey) => RouteId | undefined;
}

function makePathRules(path: readonly Hop[], options: PathOptions): PathRules | undefined {
  const { descriptor, keepAliveNs, take } = options;
  const ids = visorsOf(path).map(take);
  if (ids.some((id) => id === undefined)) return undefined;
  const idAt = (index: number): RouteId => ids[index] as RouteId;
  const rules = path.map((hop, index) => {
    const next = { nextRouteId: idAt(index + 1), nextTransportId: hop.transportId };
    const rule: Rule = index === 0
      ? { type: "forward", keepAliveNs, routeId: idAt(index), descriptor, ...next }
      : { type: "intermediary", keepAliveNs, routeId: idAt(index), ...next };
    return { visor: hop.from, rule: encodeRule(rule) };
  });
  const [first, ...between] = rules;
  if (first === undefined) return undefined;
  const last = encodeRule({ type: "consume", keepAliveNs, routeId: idAt(path.length), descriptor });
  return { first: first.rule, between, last };
}

function checkPath(path: readonly Hop[]): string | undefined {
  if (path.length > MAX_PATH_HOPS) return `a path of ${path.length} hops is too long, ${MAX_PATH_HOPS} are allowed`;
  const ends = new Map<TransportId, string>();
  for (const [index, hop] of path.entries()) {
    const previous = path[index - 1];
    if (previous !== undefined && previous.to !== hop.from) {
      return `hop ${index + 1} does not begin where the one before ends`;
    }
    const joined = [hop.from, hop.to].sort().join();
    if ((ends.get(hop.transportId) ?? joined) !== joined) {
      return `hop ${index + 1} uses a transport that does not join its ends`;
    }
    ends.set(hop.transportId, joined);
  }
  const visors = visorsOf(path);
  return new Set(visors).size < visors.length && !isLoop(path) ? "a path visits a visor twice" : undefined;
}

/** To a neighbour and back, which v1.3's `cli visor ping` asks for (routing.md §8.4); no other path returns to its source. */
function isLoop(path: readonly Hop[]): boolean {
  const [there, back, ...others] = path;
  return others.length === 0 && there !== undefined && there.from !== there.to && there.from === back?.to;
}
