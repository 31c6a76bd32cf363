/**
 * Which routes a dial takes, in which order, and why. Pure: a dial takes the candidates one after the other, and
 * `route explain` shows the same list with the reasons.
 *
 * 1. Transports of this visor to the remote visor, where the fewest hops decide. The route finder need not know them.
 * 2. What the route finder answered, in its order.
 * 3. Last resorts: routes that begin with a messaging transport that no user added, such as the one that a dial opened
 *    when there was no other way. By hops alone, dials would take it for ever, however well the others work again.
 *
 * By another measure only the finder can compare: its answer comes first, then transports of this visor that it did not
 * name. v1.3 tries the finder's first answer only (routing.md §8.1).
 */

import { isRelayed } from "../overlay/mod.ts";
import type { RouteConstraints } from "../services/route_finder/mod.ts";
import { type TransportSummary, USER_LABEL } from "../transport/mod.ts";
import { type Path, type PublicKey, shortKey } from "../types/mod.ts";

/** Longer routes are not asked for unless somebody wants them, which spares the route finder (routing.md §10.3). */
export const DEFAULT_DIAL_HOPS = 5;

/** A transport of this visor, as far as it matters here. */
export type OwnTransport = Pick<TransportSummary, "id" | "type" | "remote" | "label" | "up">;

/** Constraints of a dial that follows no path, with the limits of hops filled in. */
export interface DialConstraints extends Omit<RouteConstraints, "path" | "minHops" | "maxHops"> {
  /** Not shorter, ≥ 1. */
  readonly minHops: number;
  /** Not longer. */
  readonly maxHops: number;
}

/** What is known when routes are ranked. */
export interface RankInput {
  /** Where routes begin. */
  readonly localKey: PublicKey;
  /** Where they end. */
  readonly remote: PublicKey;
  /** What they must satisfy. */
  readonly constraints: DialConstraints;
  /** The transports of this visor. */
  readonly transports: readonly OwnTransport[];
  /** What the route finder answered, the best first; empty when it knows nothing or was not asked yet. */
  readonly found: readonly Path[];
}

/** A route with its place in the order of a dial. */
export interface RankedPath {
  /** From here to the remote visor; at least one hop. */
  readonly hops: Path;
  /** `direct`: over a transport of this visor; `found`: the finder's; `last-resort`: see the top of the file. */
  readonly rank: "direct" | "found" | "last-resort";
  /** Why it stands here, in words; absent where the measure of the route finder decided. */
  readonly reason?: string;
}

/** See {@link rankPaths}. */
export interface Ranking {
  /** What a dial takes, in this order, until one works; none twice. */
  readonly candidates: readonly RankedPath[];
  /** What the route finder answered and a dial does not take. */
  readonly refused: readonly (Omit<RankedPath, "reason"> & { readonly reason: string })[];
}

/** Fills in the limits of hops; a path that is to be followed is left out. */
export function dialConstraints({ path: _, minHops, maxHops, ...others }: RouteConstraints): DialConstraints {
  const least = Math.max(minHops ?? 1, 1);
  return { ...others, minHops: least, maxHops: maxHops ?? Math.max(DEFAULT_DIAL_HOPS, least) };
}

/** Ranks routes, see the top of the file. What was ranked before the finder answered stays first when it has. */
export function rankPaths(input: RankInput): Ranking {
  const { localKey, remote, constraints, transports, found } = input;
  const isByHops = (constraints.metric ?? "hops") === "hops";
  const own = new Map(transports.map((transport) => [transport.id, transport]));
  const direct = directTransports(input).map(({ id }) => [{ transportId: id, from: localKey, to: remote }]);
  const standsIn = ([first]: Path): boolean => {
    const transport = first && own.get(first.transportId);
    return isByHops && transport !== undefined && isLastResortTransport(transport);
  };
  const isUp = ([first]: Path): boolean => first !== undefined && own.get(first.transportId)?.up === true;
  const [ours, others] = [direct.filter((path) => !standsIn(path)), found.filter((path) => isUp(path))];
  const theirs = others.filter((path) => !standsIn(path));
  const ranked: RankedPath[] = [
    ...(isByHops ? ours.map((hops, i) => ({ hops, rank: "direct", reason: i === 0 ? SHORTEST : NEXT }) as const) : []),
    ...theirs.map((hops) => ({ hops, rank: "found" }) as const),
    ...(isByHops ? [] : ours.map((hops) => ({ hops, rank: "direct", reason: UNKNOWN }) as const)),
  ];
  const reason = ranked.length === 0 ? ONLY_LAST_RESORT : STANDS_IN;
  for (const hops of [...direct, ...others]) if (standsIn(hops)) ranked.push({ hops, rank: "last-resort", reason });
  return {
    candidates: withoutRepetition(ranked),
    refused: found.filter((path) => !isUp(path)).map((hops) => ({ hops, rank: "found", reason: notUp(hops) })),
  };
}

/** Names a path by its transports. */
export function nameOfPath(hops: Path): string {
  return hops.map(({ transportId }) => transportId).join();
}

const SHORTEST = "a transport of this visor leads straight there: 1 hop, and no route has fewer";
const NEXT = "a transport of this visor leads straight there, too: it is tried when the chosen one fails";
const UNKNOWN = "a transport of this visor that the route finder does not compare with others: it is tried last";
const STANDS_IN = "it begins with a messaging transport that no user added, which only stands in where there is no " +
  "other way";
const ONLY_LAST_RESORT = "the only way: a messaging transport that no user added stands in until there is another one";

function notUp([first]: Path): string {
  return first === undefined
    ? "it has no hops"
    : `it begins with the transport ${first.transportId.slice(0, 8)} to ${shortKey(first.to)}, which is not up here`;
}

/** Transports of this visor to the remote one that satisfy the constraints, those through messaging servers last. */
function directTransports({ remote, constraints, transports }: RankInput): readonly OwnTransport[] {
  const { minHops, maxHops, via = [] } = constraints;
  if (minHops > 1 || maxHops < 1 || via.length > 0) return [];
  return transportsTo(remote, { transports, constraints });
}

/** Transports of this visor to a visor that are up, those through messaging servers last. */
export function transportsTo(
  remote: PublicKey,
  { transports, constraints: { avoidTypes = [] } }: {
    readonly transports: readonly OwnTransport[];
    readonly constraints: Pick<RouteConstraints, "avoidTypes">;
  },
): readonly OwnTransport[] {
  return transports
    .filter(({ up, remote: its, type }) => up && its === remote && !avoidTypes.includes(type))
    .sort((a, b) => Number(isRelayed(a.type)) - Number(isRelayed(b.type)));
}

/** Does a transport only stand in where there is no other way? */
export function isLastResortTransport({ type, label }: OwnTransport): boolean {
  return isRelayed(type) && label !== USER_LABEL;
}

function withoutRepetition(ranked: readonly RankedPath[]): readonly RankedPath[] {
  const byName = new Map<string, RankedPath>();
  for (const one of ranked) if (!byName.has(nameOfPath(one.hops))) byName.set(nameOfPath(one.hops), one);
  return [...byName.values()];
}
