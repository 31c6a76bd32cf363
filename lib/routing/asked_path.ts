/**
 * A path that was asked for, followed to the letter: from visors and transports that somebody named to routes. Parallel
 * transports between two visors of the path give further routes over the same visors.
 * Tested in tests/routing/route_choice_test.ts.
 */

import { RefusedError, UnavailableError } from "../errors/mod.ts";
import type { TransportTable } from "../transport/mod.ts";
import { at } from "../types/at.ts";
import {
  type Hop,
  isTransportStep,
  type Path,
  type PathStep,
  type PublicKey,
  shortKey,
  type TransportId,
} from "../types/mod.ts";
import type { Edges } from "../wire/transport_entry.ts";
import { type DialConstraints, transportsTo } from "./rank.ts";

/** What following needs. */
export interface AskedPathDeps {
  /** Where the path begins. */
  readonly localKey: PublicKey;
  /** Where it must end. */
  readonly remote: PublicKey;
  /** Of its constraints, the kinds to avoid count for the first hop. */
  readonly constraints: DialConstraints;
  /** What it can begin with. */
  readonly transports: Pick<TransportTable, "list">;
  /** The hops that lead from a visor to a neighbour, the best first; empty when none is known. */
  readonly hopsBetween: (from: PublicKey, to: PublicKey) => Promise<readonly Hop[]>;
  /** Whose a transport of the network is; undefined when nobody knows it. */
  readonly edgesOf: (id: TransportId) => Promise<Edges | undefined>;
  /** Why something is not known, as far as that is known. */
  readonly causeOf: () => unknown;
}

/**
 * Follows a path.
 * @returns routes, each over the same visors
 * @throws {UnavailableError} `route/not-found`, naming the hop that is missing
 * @throws {RefusedError} `route/bad-path` when it leads elsewhere or in a circle
 */
export async function followPath(path: readonly PathStep[], deps: AskedPathDeps): Promise<readonly Path[]> {
  const visors = await visorsOfPath(path, deps);
  const hops = await Promise.all(path.map((step, i): readonly Hop[] | Promise<readonly Hop[]> => {
    const from = at(visors, i), to = at(visors, i + 1);
    return isTransportStep(step)
      ? [{ transportId: step, from, to }]
      : hopTo({ from, to, hop: i + 1, of: path.length }, deps);
  }));
  const count = Math.max(...hops.map((choices) => choices.length));
  return Array.from(
    { length: count },
    (_, n) => hops.map((choices) => at(choices, Math.min(n, choices.length - 1))),
  );
}

/** A hop of the path, counted from 1. */
interface Place {
  readonly from: PublicKey;
  readonly hop: number;
  readonly of: number;
}

async function hopTo(place: Place & { readonly to: PublicKey }, deps: AskedPathDeps): Promise<readonly Hop[]> {
  const { from, to, hop, of } = place;
  const hops = from === deps.localKey
    ? transportsTo(to, { transports: deps.transports.list(), constraints: deps.constraints })
      .map(({ id }) => ({ transportId: id, from, to }))
    : await deps.hopsBetween(from, to);
  if (hops.length > 0) return hops;
  const why = `no transport from ${shortKey(from)} to ${shortKey(to)} is up; add one there or choose another path`;
  throw missing(why, { deps, details: { hop, of, from, to } });
}

/** All visors on a path, this one first. */
async function visorsOfPath(path: readonly PathStep[], deps: AskedPathDeps): Promise<readonly PublicKey[]> {
  // What is wrong already without transports needs no questions.
  const named = path.filter((step) => !isTransportStep(step));
  const last = path.at(-1);
  const isEndKnown = last === undefined || !isTransportStep(last);
  checkPath(path, { visors: [deps.localKey, ...named], last: isEndKnown ? named.at(-1) : deps.remote, deps });
  const visors = [deps.localKey];
  for (const [i, step] of path.entries()) {
    const place = { from: at(visors, i), hop: i + 1, of: path.length };
    visors.push(isTransportStep(step) ? await otherEnd(step, { place, deps }) : step);
  }
  checkPath(path, { visors, last: visors.at(-1), deps });
  return visors;
}

/** Where a transport that was named leads to from a visor. */
async function otherEnd(
  id: TransportId,
  { place: { from, hop, of }, deps }: { readonly place: Place; readonly deps: AskedPathDeps },
): Promise<PublicKey> {
  const name = `the transport ${id.slice(0, 8)}`;
  const lacks = (why: string): UnavailableError =>
    missing(`${name} ${why}; choose another path`, { deps, details: { hop, of, from, transport: id } });
  if (from === deps.localKey) {
    const own = deps.transports.list().find((transport) => transport.id === id);
    if (own === undefined) throw lacks(`is none of this visor's (${shortKey(from)})`);
    if (!own.up) throw lacks(`from ${shortKey(from)} to ${shortKey(own.remote)} is not up`);
    return own.remote;
  }
  const edges = await deps.edgesOf(id);
  if (edges === undefined) throw lacks(`from ${shortKey(from)} on is not known to the network`);
  if (!edges.includes(from)) throw lacks(`does not begin at ${shortKey(from)}`);
  return edges[0] === from ? edges[1] : edges[0];
}

function checkPath(
  path: readonly PathStep[],
  { visors, last, deps: { remote } }: {
    readonly visors: readonly PublicKey[];
    readonly last: PublicKey | undefined;
    readonly deps: AskedPathDeps;
  },
): void {
  const problem = last !== remote
    ? `it must end at ${shortKey(remote)}, the visor dialled`
    : new Set(visors).size < visors.length
    ? "a visor occurs twice, or it names this visor"
    : undefined;
  if (problem === undefined) return;
  throw new RefusedError("route/bad-path", `Follow the path: ${problem}`, { details: { path } });
}

function missing(
  why: string,
  { deps, details }: {
    readonly deps: AskedPathDeps;
    readonly details: Place & Record<string, unknown>;
  },
): UnavailableError {
  const { hop, of } = details;
  return new UnavailableError("route/not-found", `Follow the path: hop ${hop} of ${of}, ${why}`, {
    cause: deps.causeOf(),
    details,
  });
}
