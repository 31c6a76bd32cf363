/** Questions by any measure, through the service, its client, and a local finder. */

import assert from "node:assert/strict";
import { RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import {
  createFallbackRouteFinder,
  createLocalRouteFinder,
  createRouteFinder,
  createRouteFinderClient,
  type RouteCandidate,
  type RouteFinderClient,
  type RouteQuery,
} from "../../lib/services/route_finder/mod.ts";
import type { FeedEvent, MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { makeTransportEntry } from "../../lib/wire/transport_entry.ts";
import { simulationTest } from "../fakes/mod.ts";
import { ask, httpTo, makeWorld } from "../services/http/support.ts";
import { makeVisor } from "../services/transport_discovery/support.ts";
import { feedOf } from "./support.ts";

const [A, B, C, D, E] = [1, 2, 3, 4, 5].map((number) => makeVisor(number).publicKey) as [
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
];
const NAMES = new Map([[A, "A"], [B, "B"], [C, "C"], [D, "D"], [E, "E"]]);

function transport(a: PublicKey, b: PublicKey, more: Partial<MapTransport> = {}): MapTransport {
  return { ...makeTransportEntry(a, b, { kind: more.kind ?? "stcp", label: "" }), ...more };
}

/** A slow direct way, a fast one over B and C, one over E that is broken, and one that is wide. */
const MAP = [
  transport(A, D, { latencyMs: 300, throughputMBps: 1 }),
  transport(A, B, { latencyMs: 10, throughputMBps: 2, resetsPerHour: 0 }),
  transport(B, D, { latencyMs: 20, throughputMBps: 2, resetsPerHour: 5 }),
  transport(B, C, { latencyMs: 1, throughputMBps: 50, resetsPerHour: 0 }),
  transport(A, C, { latencyMs: 80, throughputMBps: 60, kind: "stcpr" }),
  transport(C, D, { latencyMs: 90, throughputMBps: 70, resetsPerHour: 0 }),
  transport(A, E, { latencyMs: 1 }),
  transport(E, D, { latencyMs: 1, status: "not-working" }),
];

async function withClient(
  map: readonly MapTransport[],
  run: (client: RouteFinderClient) => Promise<void>,
): Promise<void> {
  const world = makeWorld(0n);
  const finder = createRouteFinder({ runtime: world.runtime, feed: feedOf(map) });
  await finder.ready;
  const { http, timers } = makeWorld(0n, httpTo({ finder })).runtime;
  await run(createRouteFinderClient({ http, timers, url: "http://finder" }));
  await finder.close();
}

async function found(
  client: RouteFinderClient,
  constraints: Omit<RouteQuery, "source" | "destination">,
): Promise<string[]> {
  const { routes } = await client.ask({ source: A, destination: D, ...constraints });
  return routes.map(({ hops, cost }) => `${lettersOf(hops)} ${cost}`);
}

function lettersOf(hops: RouteCandidate["hops"]): string {
  return hops.map(({ from, to }, i) => (i === 0 ? NAMES.get(from) ?? "?" : "") + (NAMES.get(to) ?? "?")).join("");
}

Deno.test("the route finder answers by each measure, and never over what does not work", () =>
  withClient(MAP, async (client) => {
    assert.deepEqual(await found(client, { count: 1 }), ["AD 1"]);
    assert.deepEqual(await found(client, { metric: "latency", count: 2 }), ["ABD 30", "ABCD 101"]);
    assert.deepEqual(await found(client, { metric: "throughput", count: 2 }), ["ACD 0.016667", "ABD 0.5"]);
    assert.deepEqual(await found(client, { metric: "reliability", count: 1 }), ["ABCD 0"]);
    assert.deepEqual(await found(client, { metric: { hops: 1, latency: 1 }, count: 1 }), ["ABD 2.6"]);
    assert.deepEqual(await found(client, { disjoint: "visors", count: 5 }), ["AD 1", "ABD 2", "ACD 2"]);
    assert.deepEqual(await found(client, { metric: "latency", avoid: [B], count: 1 }), ["ACD 170"]);
    assert.deepEqual(await found(client, { metric: "latency", avoid: [B], avoidTypes: ["stcpr"] }), ["AD 300"]);
    assert.deepEqual(await found(client, { via: [C, B] }), ["ACBD 3"]);
    assert.deepEqual(await found(client, { minHops: 3, metric: "latency" }), ["ABCD 101", "ACBD 101"]);
    await assert.rejects(found(client, { maxHops: 1, minHops: 1, avoidTypes: ["stcp"] }), { code: "route/not-found" });
    await assert.rejects(found(client, { via: [E] }), { code: "route/not-found" });
    await assert.rejects(found(client, { avoid: [A] }), (error) => error instanceof RefusedError);
    await assert.rejects(found(client, { minHops: 3, maxHops: 2 }), { code: "route-finder/refused" });
  }));

Deno.test("the route finder takes conditions beside pairs, which v1.3 does not", () =>
  withClient(MAP, async (client) => {
    const [routes] = await client.findRoutes({
      pairs: [[A, D]],
      minHops: 1,
      maxHops: 5,
      constraints: { metric: "latency", count: 1 },
    });
    assert.deepEqual(routes?.map(lettersOf), ["ABD"]);
  }));

Deno.test("the route finder explains what it chose, and why each other route lost", () =>
  withClient(MAP, async (client) => {
    const question = { source: A, destination: D, metric: "latency", avoid: [B], maxHops: 2 } as const;
    const candidates = await client.explain(question);
    const reasons = new Map(candidates.map((one) => [lettersOf(one.hops), one]));
    assert.deepEqual(candidates.filter(({ chosen }) => chosen).map(({ hops }) => lettersOf(hops)), ["ACD"]);
    assert.match(reasons.get("ACD")!.reason, /^the best by latency: 170 ms/);
    assert.match(
      reasons.get("AD")!.reason,
      /^worse by latency: 300 ms.*170 ms.*by hops and reliability it would be best/,
    );
    assert.match(reasons.get("ABD")!.reason, /passes \w{8}.*to be avoided/);
    assert.match(reasons.get("ABCD")!.reason, /too long: 3 hops, and at most 2/);
    assert.match(reasons.get("AED")!.reason, /does not work now/);
    assert.equal(reasons.get("AED")!.chosen, false);
    assert.deepEqual(reasons.get("ACD")!.figures, {
      hops: 2,
      latencyMs: 170,
      throughputMBps: 60,
      resetsPerHour: 1,
    });
  }));

Deno.test("the route finder says which figures nobody measured, and which routes go through messaging servers", () => {
  const map = [
    transport(A, D),
    transport(A, B, { latencyMs: 10 }),
    transport(B, D),
    transport(A, C),
    transport(C, D, { kind: "dmsg" }),
  ];
  return withClient(map, async (client) => {
    const [chosen] = await client.explain({ source: A, destination: D, metric: "latency" });
    assert.equal(chosen?.reason, "the best by latency: 50 ms there and back (not measured: usual for its kind)");
    assert.deepEqual(chosen?.assumed, ["latencyMs", "throughputMBps", "resetsPerHour"]);
    const candidates = await client.explain({ source: A, destination: D, minHops: 2 });
    const relayed = candidates.find(({ hops }) => lettersOf(hops) === "ACD");
    assert.equal(
      relayed?.reason,
      "as good by hops (2 hops), but more of it goes through messaging servers: 1 hop; the chosen route has none of that kind",
    );
    const longer = await client.explain({ source: A, destination: D, metric: "latency", minHops: 2 });
    assert.match(
      longer[0]?.reason ?? "",
      /60 ms there and back \(not measured everywhere: usual figures fill the gaps\)/,
    );
  });
});

Deno.test("the route finder explains why nothing is chosen", () =>
  withClient(MAP.slice(6), async (client) => {
    const candidates = await client.explain({ source: A, destination: D });
    assert.deepEqual(candidates.map(({ hops, chosen }) => [lettersOf(hops), chosen]), [["AED", false]]);
    await assert.rejects(client.explain({ source: A, destination: B }), (error) => {
      return error instanceof UnavailableError && error.message.includes(B.slice(0, 8));
    });
  }));

Deno.test("the route finder says when it may have missed better routes that share nothing", () => {
  // Twelve visors, each joined with each: of the 720 paths of four hops three can stand side by side, and not five.
  const visors = Array.from({ length: 12 }, (_, i) => makeVisor(i + 1).publicKey);
  const map = visors.flatMap((a, i) => visors.slice(0, i).map((b) => transport(a, b)));
  return withClient(map, async (client) => {
    const question = { source: A, destination: D, disjoint: "visors", count: 5, minHops: 4, maxHops: 4 } as const;
    const { routes, isExact } = await client.ask(question);
    assert.deepEqual([routes.length, isExact], [3, false]);
    const [chosen] = await client.explain(question);
    assert.match(chosen!.reason, /^the best of those that share no visors by hops: 4 hops, as far as is known/);
    assert.equal((await client.ask({ ...question, maxHops: 5, minHops: 1 })).isExact, true);
  });
});

Deno.test("the route finder refuses questions that it cannot read", async () => {
  const finder = createRouteFinder({ runtime: makeWorld(0n).runtime, feed: feedOf(MAP) });
  await finder.ready;
  const question = { source: A, destination: D };
  const bodies = [
    "",
    "[]",
    "{}",
    JSON.stringify({ ...question, metric: "luck" }),
    JSON.stringify({ ...question, count: 0 }),
  ];
  for (const body of bodies) {
    assert.equal((await ask(finder.fetch, { method: "POST", path: "/v2/routes", body })).status, 400, body);
  }
  await finder.close();
});

Deno.test("a client of a finder of v1.3 says that it knows no other measures", async () => {
  const old = (): Promise<Response> => Promise.resolve(new Response("404 page not found\n", { status: 404 }));
  const { http, timers } = makeWorld(0n, old).runtime;
  const client = createRouteFinderClient({ http, timers, url: "http://old" });
  await assert.rejects(client.ask({ source: A, destination: D }), { code: "route-finder/too-old" });
});

simulationTest("a local finder steps in when none answers, and goes when one answers again", async (sim) => {
  const runtime = sim.runtimeFor("visor");
  await using local = createLocalRouteFinder({ runtime, feed: feedOf(MAP) });
  let isAway = true, asked = 0;
  const fail = (): never => {
    asked++;
    throw new UnavailableError("http/unreachable", "Ask");
  };
  const finder: RouteFinderClient = {
    findRoutes: (options) => isAway ? fail() : local.findRoutes(options),
    ask: (question) => isAway ? fail() : local.ask(question),
    explain: (question) => isAway ? fail() : local.explain(question),
  };
  let followers = 0;
  const feed = feedOf(MAP);
  const counted: typeof feed = {
    async *follow(options): AsyncGenerator<FeedEvent> {
      followers++;
      try {
        yield* feed.follow(options);
      } finally {
        followers--;
      }
    },
  };
  await using both = createFallbackRouteFinder({ runtime, feed: counted, finder });
  const question = { source: A, destination: D };
  assert.equal((await sim.run(both.ask(question))).routes.length, 3);
  assert.equal((await sim.run(both.findRoutes({ pairs: [[A, D]], minHops: 1, maxHops: 3 })))[0]?.length, 3);
  await assert.rejects(sim.run(both.ask({ ...question, via: [E] })), { code: "route/not-found" });
  assert.deepEqual([asked, followers], [3, 1]);
  isAway = false;
  await sim.run(both.explain(question));
  assert.equal(followers, 0);
});
