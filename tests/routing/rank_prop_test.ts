/** What `route explain` calls chosen is what a dial takes, whatever the map, the transports and the constraints. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { RecentMean } from "../../lib/runtime/mod.ts";
import { hasCode, UnavailableError } from "../../lib/errors/mod.ts";
import { explainDial } from "../../lib/routing/mod.ts";
import { nameOfPath, type OwnTransport, rankPaths } from "../../lib/routing/rank.ts";
import { chooseRoutes } from "../../lib/routing/route_choice.ts";
import { createLocalRouteFinder, type RouteConstraints, type RouteQuery } from "../../lib/services/route_finder/mod.ts";
import type { MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import type { TransportSummary } from "../../lib/transport/mod.ts";
import type { Path, RoutePair } from "../../lib/types/mod.ts";
import { question, transport } from "../arbitraries/route_map.ts";
import { feedOf } from "../paths/support.ts";
import { makeWorld } from "../services/http/support.ts";

/** How the visor itself sees a transport, by the number of the transport in the map. */
interface OwnState {
  readonly isUp: boolean;
  readonly label: string;
  /** Is it on the map, too? */
  readonly isKnown: boolean;
}

const state: fc.Arbitrary<OwnState> = fc.record({
  isUp: fc.constantFrom(true, true, true, false),
  label: fc.constantFrom("user", "automatic", "accepted"),
  isKnown: fc.constantFrom(true, true, true, false),
});

interface World {
  readonly map: readonly MapTransport[];
  readonly states: readonly OwnState[];
  readonly query: RouteQuery;
}

const world: fc.Arbitrary<World> = fc.record({
  map: fc.array(transport, { minLength: 6, maxLength: 20 }),
  states: fc.array(state, { minLength: 20, maxLength: 20 }),
  query: question,
});

/** The transports of the visor at which routes begin, and the map as the route finder has it. */
function stage({ map, states, query: { source } }: World): {
  readonly own: readonly TransportSummary[];
  readonly known: readonly MapTransport[];
} {
  const unique = [...new Map(map.map((one) => [one.id, one])).values()];
  const stateOf = (one: MapTransport): OwnState | undefined => states[unique.indexOf(one)];
  const own = unique.filter(({ edges }) => edges.includes(source)).map((one): TransportSummary => ({
    id: one.id,
    type: one.kind,
    remote: one.edges[0] === source ? one.edges[1] : one.edges[0],
    label: stateOf(one)?.label ?? "user",
    up: stateOf(one)?.isUp ?? true,
    initiator: true,
    sentPackets: 0,
    receivedPackets: 0,
    sentBytes: 0,
    receivedBytes: 0,
    since: 0,
  }));
  return { own, known: unique.filter((one) => !one.edges.includes(source) || stateOf(one)?.isKnown !== false) };
}

/** What there is, or nothing when there is no route. */
async function orNothing<T>(work: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await work;
  } catch (error) {
    assert.ok(error instanceof UnavailableError && hasCode(error, "route/not-found"), String(error));
    return [];
  }
}

async function dialled(query: RouteQuery, deps: Parameters<typeof chooseRoutes>[1]["deps"]): Promise<RoutePair[]> {
  const { source: _, destination, count: _count, disjoint: _disjoint, ...constraints } = query;
  const asked: RouteConstraints = constraints;
  const signal = new AbortController().signal;
  const routes: RoutePair[] = [];
  for await (const route of chooseRoutes(destination, { constraints: asked, signal, deps })) routes.push(route);
  return routes;
}

Deno.test("explainDial() calls chosen what a dial takes first", async () => {
  let chosenRoutes = 0;
  await fc.assert(
    fc.asyncProperty(world, async (one) => {
      const { own, known } = stage(one), { query } = one;
      const { runtime } = makeWorld(0n);
      const transports = { list: () => [...own] };
      await using routeFinder = createLocalRouteFinder({ runtime, feed: feedOf(known) });
      const deps = { ...runtime, localKey: query.source, transports, routeFinder, finderTimes: new RecentMean() };
      const taken = await orNothing(dialled(query, deps));
      const explained = await orNothing(explainDial(query, { routeFinder, transports }));
      const chosen = explained.filter((candidate) => candidate.chosen);
      assert.deepEqual(chosen.map(({ hops }) => hops), taken.slice(0, 1).map(({ forward }) => forward));
      assert.ok(chosen.length === 0 || explained[0]?.chosen === true);
      const names = explained.map(({ hops }) => nameOfPath(hops));
      assert.equal(new Set(names).size, names.length);
      assert.ok(explained.every(({ reason, hops }) => reason !== "" && hops.at(-1)?.to === query.destination));
      // Whatever a dial would try is shown.
      assert.deepEqual(taken.filter(({ forward }) => !names.includes(nameOfPath(forward))), []);
      chosenRoutes += chosen.length;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(chosenRoutes > 150, `only ${chosenRoutes} maps had a route`);
});

Deno.test("rankPaths() puts what it knows without the finder where it stays when the finder has answered", () => {
  const paths: fc.Arbitrary<Path[]> = fc.array(
    fc.array(transport, { minLength: 1, maxLength: 3 }).map((list) =>
      list.map(({ id, edges: [from, to] }) => ({ transportId: id, from, to }))
    ),
    { maxLength: 5 },
  );
  fc.assert(fc.property(world, paths, (one, found) => {
    const { own } = stage(one), { source: localKey, destination: remote, minHops = 1, maxHops = 5 } = one.query;
    const { via = [], avoidTypes = [] } = one.query;
    const input = { localKey, remote, transports: own satisfies readonly OwnTransport[] };
    const constraints = { minHops, maxHops, via, avoidTypes };
    const before = rankPaths({ ...input, constraints, found: [] }).candidates.filter((path) => path.rank === "direct");
    const { candidates } = rankPaths({ ...input, constraints, found });
    assert.deepEqual(candidates.slice(0, before.length), before);
    const ranks = candidates.map(({ rank }) => rank);
    assert.deepEqual(ranks, ranks.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)));
    assert.ok(candidates.every(({ hops }) => own.some(({ id, up }) => up && id === hops[0]?.transportId)));
  }));
});

const ORDER = ["direct", "found", "last-resort"];
