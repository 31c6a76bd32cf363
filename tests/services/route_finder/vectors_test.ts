/** Replays what was seen of v1.3. */

import assert from "node:assert/strict";
import { createRouteFinder, type RouteFinder } from "../../../lib/services/route_finder/mod.ts";
import { parseSignedEntries } from "../../../lib/services/transport_discovery/api.ts";
import type { PublicKey, TransportId } from "../../../lib/types/mod.ts";
import type { TransportEntry } from "../../../lib/wire/transport_entry.ts";
import { testVectors, type VectorCase, vectorCases } from "../../wire/vectors.ts";
import { assertApiFile, assertDocumented, readApiDocument } from "../http/api_document.ts";
import { ABSENT_SERVICES, type Answer, ask, makeWorld, sortMethods, testApiVectors } from "../http/support.ts";
import { feedOf } from "../../paths/support.ts";

/**
 * v1.3 takes the transport that its database names last, we a direct one where there is one: any of them is right to its
 * clients. In these cases the transports of our hops may be other ones between the same visors.
 */
const OTHER_TRANSPORTS: Readonly<Record<string, string>> = {
  "parallel transports between two visors": "v1.3 takes dmsg, which came last, we a direct one",
  "parallel transports in another order": "v1.3 takes the last one, we the direct one with the smallest id",
};

/** The text with which the memory store of v1.3 answers when the source has no transport; its PostgreSQL says ours. */
const NO_SOURCE = "transport not found";
const NO_ROUTE = '{"error":{"message":"no route to destination","code":404}}';

async function withFinder(
  entries: readonly TransportEntry[],
  run: (finder: RouteFinder) => Promise<void>,
): Promise<void> {
  const world = makeWorld(0n);
  const finder = createRouteFinder({ runtime: world.runtime, feed: feedOf(entries) });
  await finder.ready;
  await run(finder);
  await finder.close();
  assert.equal(world.timerCount, 0);
  assert.deepEqual(world.problems, []);
}

function entriesOf(data: VectorCase): TransportEntry[] {
  return (data.transports as VectorCase[]).map(({ t_id, edges, type }) => ({
    id: t_id as TransportId,
    edges: edges as [PublicKey, PublicKey],
    kind: type,
    label: "user",
  }));
}

function routesIn(answer: Answer): Hop[][] {
  return Object.values(JSON.parse(answer.text) as Record<string, (Hop[] | null)[]>).flat().map((route) => route ?? []);
}

interface Hop {
  readonly TpID: string;
  readonly From: string;
  readonly To: string;
}

function nameOf(route: readonly Hop[], isExact: boolean): string {
  return route.map(({ TpID, From, To }) => `${isExact ? TpID : ""} ${From} ${To}`).join();
}

testVectors("routes.json", {
  graph: (data) => {
    const entries = entriesOf(data), isExact = OTHER_TRANSPORTS[data.name] === undefined;
    return withFinder(entries, async ({ fetch }) => {
      for (const query of data.queries as VectorCase[]) {
        const answer = await ask(fetch, { method: "POST", path: "/routes", body: query.request });
        const place = `${data.name}: ${query.request}`;
        if (query.status === 404 && query.error === NO_SOURCE) {
          const isToItself = query.source === query.destination && query.min_hops === 0;
          if (isToItself) assert.deepEqual([answer.status, routesIn(answer)], [200, [[]]], place);
          else assert.equal(answer.text, NO_ROUTE, place);
          continue;
        }
        assert.equal(answer.status, query.status, place);
        if (query.status !== 200) {
          assert.equal(JSON.parse(answer.text).error.message, query.error, place);
          continue;
        }
        const routes = routesIn(answer);
        assert.deepEqual(routes.map((route) => route.length), query.returned_hop_counts, place);
        const candidates = new Set((query.candidates as { hops: Hop[] | null }[])
          .map(({ hops }) => nameOf(hops ?? [], isExact)));
        for (const route of routes) {
          assert.ok(candidates.delete(nameOf(route, isExact)), `${place}: ${nameOf(route, isExact)}`);
          for (const { TpID, From, To } of route) {
            const edges = entries.find(({ id }) => id === TpID)?.edges;
            assert.ok(edges?.includes(From as PublicKey) && edges.includes(To as PublicKey), place);
          }
        }
        if (isExact && query.response_if_unique !== null) {
          assert.equal(answer.text, query.response_if_unique, place);
        }
      }
    });
  },
  http: (data) =>
    withFinder(entriesOf(data), async ({ fetch }) => {
      const document = await readApiDocument(fetch);
      for (const step of data.requests as (VectorCase & { method: string; path: string })[]) {
        const answer = await ask(fetch, { method: step.method, path: step.path, body: step.body });
        assertDocumented(document, step, answer);
        if (step.response === `{"error":{"message":"${NO_SOURCE}","code":404}}`) {
          const isToItself = step.note === "null keys";
          assert.equal(
            answer.text,
            isToItself ? NO_ROUTE.replace("no route to destination", "route not found") : NO_ROUTE,
          );
        } else if (step.note === "edge of 66 bytes") {
          // v1.3 crashes.
          assert.equal(answer.text, '{"error":{"message":"Invalid public key length","code":400}}');
        } else {
          assert.deepEqual(
            [answer.status, answer.contentType, answer.text],
            [step.status, step.content_type, step.response],
            step.note,
          );
        }
      }
    }),
});

Deno.test("the route finder describes its API as the file in tests/vectors/api says", () =>
  withFinder([], (finder) => assertApiFile(finder.fetch, "route-finder")));

testApiVectors({
  ...ABSENT_SERVICES,
  "address resolver": { elsewhere: "tests/services/address_resolver/vectors_test.ts" },
  "dmsg discovery": { elsewhere: "tests/services/messaging_discovery/vectors_test.ts" },
  "transport discovery": { elsewhere: "tests/services/transport_discovery/vectors_test.ts" },
  "route finder": (data) => {
    const before = vectorCases("api.json").find(({ name }) => name === "transport discovery for the route finder");
    const registrations = (before?.requests as VectorCase[]).filter(({ method }) => method === "POST");
    const entries = registrations.flatMap(({ body }) => parseSignedEntries(body) ?? []).map(({ entry }) => entry);
    return withFinder(entries, async ({ fetch }) => {
      const document = await readApiDocument(fetch);
      for (const step of data.requests as (VectorCase & { method: string; path: string })[]) {
        const answer = await ask(fetch, { method: step.method, path: step.path, body: step.body });
        assertDocumented(document, step, answer);
        assert.equal(answer.status, step.status);
        assert.equal(answer.contentType, step.response_headers["Content-Type"] ?? "");
        assert.equal(sortMethods(answer.allow), sortMethods(step.response_headers.Allow ?? ""));
        if (step.volatile === true) continue;
        if (step.note?.includes("order not defined")) {
          assert.deepEqual(sortRoutes(answer.text), sortRoutes(step.response));
        } else assert.equal(answer.text, step.response);
      }
    });
  },
});

function sortRoutes(text: string): unknown {
  return Object.entries(JSON.parse(text) as Record<string, unknown[]>)
    .map(([pair, routes]) => [pair, routes.map((route) => JSON.stringify(route)).sort()]);
}
