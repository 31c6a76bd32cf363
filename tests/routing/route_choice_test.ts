/** Which routes a dial tries, and in which order. */

import assert from "node:assert/strict";
import { at } from "../../lib/types/at.ts";
import { hasCode, RefusedError, type SkywireError, UnavailableError } from "../../lib/errors/mod.ts";
import { chooseRoutes, type RouteChoiceDeps } from "../../lib/routing/route_choice.ts";
import type { RouteConstraints } from "../../lib/services/route_finder/mod.ts";
import type { Hop, PublicKey, RoutePair, TransportId } from "../../lib/types/mod.ts";
import { RecentMean } from "../../lib/runtime/mod.ts";
import { createVirtualTime } from "../fakes/mod.ts";

const [A, B, C, D] = ["a", "b", "c", "d"].map((letter) => `02${letter.repeat(64)}` as PublicKey) as [
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
];

/** A transport id that says which two visors it joins. */
function idOf(from: PublicKey, to: PublicKey, parallel = 0): TransportId {
  const ends = [from, to].sort().map((key) => key[2]).join("");
  return `0000000${parallel}-0000-0000-0000-0000000000${ends}` as TransportId;
}

function hopsOver(...visors: PublicKey[]): Hop[] {
  return visors.slice(1).map((to, i) => ({ transportId: idOf(at(visors, i), to), from: at(visors, i), to }));
}

interface World {
  /** Default: one of its own. */
  readonly time?: ReturnType<typeof createVirtualTime>;
  /** Visors that A has a transport to, with its type and label. */
  readonly up: [visor: PublicKey, type: string, label?: string][];
  /** What the finder answers. */
  readonly find?: (from: PublicKey, to: PublicKey) => Hop[][] | Promise<Hop[][]>;
  readonly ensureTransport?: RouteChoiceDeps["ensureTransport"];
  /** What the network knows of transports. */
  readonly edgesOf?: RouteChoiceDeps["edgesOf"];
  /** How long it took to answer lately. */
  readonly finderTimes?: RecentMean;
  /** Is told what the finder was asked. */
  readonly onQuestion?: (question: unknown) => void;
}

/** All routes that a dial from A to D would try, as letters of the visors after A. */
async function routes(world: World, constraints: RouteConstraints = {}, remote = D): Promise<string[]> {
  const { time = createVirtualTime() } = world;
  const questions: unknown[] = [];
  const deps: RouteChoiceDeps = {
    clock: time.clock,
    timers: time.timers,
    localKey: A,
    transports: {
      list: () =>
        world.up.map(([remote, type, label = "user"], i) => ({
          id: idOf(A, remote, world.up.slice(0, i).filter(([other]) => other === remote).length),
          type,
          remote,
          label,
          up: true,
          initiator: true,
          sentPackets: 0,
          receivedPackets: 0,
          sentBytes: 0,
          receivedBytes: 0,
          since: 0,
        })),
    },
    routeFinder: {
      ask: () => assert.fail("nothing is compared"),
      findRoutes: async (question) => {
        questions.push(question);
        world.onQuestion?.(question);
        const [from, to] = at(question.pairs, 0);
        return [await world.find?.(from, to) ?? []];
      },
    },
    finderTimes: world.finderTimes ?? new RecentMean(),
    ...(world.ensureTransport === undefined ? {} : { ensureTransport: world.ensureTransport }),
    ...(world.edgesOf === undefined ? {} : { edgesOf: world.edgesOf }),
  };
  const found: RoutePair[] = [];
  const signal = new AbortController().signal;
  await time.run(async () => {
    for await (const route of chooseRoutes(remote, { constraints, signal, deps })) found.push(route);
  });
  for (const route of found) {
    assert.deepEqual(
      route.reverse,
      route.forward.toReversed().map(({ transportId, from, to }) => ({ transportId, from: to, to: from })),
    );
  }
  return found.map((route) => route.forward.map((hop) => hop.to[2] + (hop.transportId[7] === "0" ? "" : "'")).join(""));
}

Deno.test("chooseRoutes() tries an own transport first, then what the finder knows, each once", async () => {
  const find = () => [hopsOver(A, D), hopsOver(A, B, D), hopsOver(A, C, D)];
  assert.deepEqual(await routes({ up: [[B, "stcp"], [C, "stcp"], [D, "stcp"]], find }), ["d", "bd", "cd"]);
});

Deno.test("chooseRoutes() leaves out routes whose first transport is not up here", async () => {
  const find = () => [hopsOver(A, B, D), hopsOver(A, C, D)];
  assert.deepEqual(await routes({ up: [[C, "stcp"]], find }), ["cd"]);
});

Deno.test("chooseRoutes() prefers other transports to those through a messaging server", async () => {
  assert.deepEqual(await routes({ up: [[D, "dmsg"], [D, "stcp"]] }), ["d'", "d"]);
});

Deno.test("chooseRoutes() comes last to messaging transports that no user asked for", async () => {
  for (const label of ["automatic", "accepted"]) {
    const up: World["up"] = [[D, "dmsg", label], [B, "stcp", label], [C, "dmsg", label]];
    const find = () => [hopsOver(A, D), hopsOver(A, C, D), hopsOver(A, B, C, D)];
    assert.deepEqual(await routes({ up, find }), ["bcd", "d", "cd"]);
    assert.deepEqual(await routes({ up, find }, { metric: "latency" }), ["d", "cd", "bcd"]);
  }
});

Deno.test("chooseRoutes() does not wait for a silent finder when it has a last resort", async () => {
  const find = () => new Promise<Hop[][]>(() => {});
  assert.deepEqual(await routes({ up: [[D, "dmsg", "automatic"]], find }), ["d"]);
});

Deno.test("chooseRoutes() gives the finder several times what it takes, before it goes to a last resort", async () => {
  for (const [meanMs, waits] of [[undefined, 2_000], [1, 250], [200, 800], [5_000, 2_000]] as const) {
    const finderTimes = new RecentMean();
    if (meanMs !== undefined) finderTimes.add(meanMs);
    const time = createVirtualTime();
    const find = () => new Promise<Hop[][]>(() => {});
    await routes({ time, up: [[D, "dmsg", "automatic"]], find, finderTimes });
    assert.equal(time.clock.monotonic(), waits);
  }
});

Deno.test("chooseRoutes() keeps to the fewest hops asked for, without an own transport", async () => {
  assert.deepEqual(await routes({ up: [[B, "stcp"], [D, "stcp"]], find: () => [hopsOver(A, B, D)] }, { minHops: 2 }), [
    "bd",
  ]);
});

Deno.test("chooseRoutes() opens a transport when there is no route, and asks until it is known", async () => {
  const up: World["up"] = [];
  const ensured: PublicKey[] = [];
  const ensureTransport = (remote: PublicKey): Promise<void> => {
    ensured.push(remote);
    up.push([remote, "dmsg"]);
    return Promise.resolve();
  };
  assert.deepEqual(await routes({ up, ensureTransport }), ["d"]);
  assert.deepEqual(ensured, [D]);
});

Deno.test("chooseRoutes() goes on asking while discovery catches up", async () => {
  let questions = 0;
  const find = () => ++questions > 5 ? [hopsOver(A, B, D)] : [];
  const ensureTransport = () => Promise.resolve();
  assert.deepEqual(await routes({ up: [[B, "stcp"]], find, ensureTransport }), ["bd"]);
});

Deno.test("chooseRoutes() says that there is no route, and why", async () => {
  await assert.rejects(routes({ up: [] }), (error) => hasCode(error, "route/not-found"));
  const ensureTransport = () => Promise.reject(new UnavailableError("messaging/unknown-peer", "It has no entry"));
  await assert.rejects(routes({ up: [], ensureTransport }), (error: SkywireError) => {
    assert.ok(hasCode(error.cause, "messaging/unknown-peer"));
    return hasCode(error, "route/not-found");
  });
  const find = () => {
    throw new UnavailableError("http/unreachable", "No answer");
  };
  await assert.rejects(routes({ up: [], find }), (error: SkywireError) => hasCode(error.cause, "http/unreachable"));
});

Deno.test("chooseRoutes() follows a path to the letter and opens nothing for it", async () => {
  const find = (from: PublicKey, to: PublicKey) => [hopsOver(from, to)];
  const ensureTransport = () => Promise.reject(new Error("must not be called"));
  const world = { up: [[B, "stcp"], [D, "stcp"]] satisfies World["up"], find, ensureTransport };
  assert.deepEqual(await routes(world, { path: [B, C, D] }), ["bcd"]);
  assert.deepEqual(await routes(world, { path: [D] }), ["d"]);
});

Deno.test("chooseRoutes() names the hop that a path lacks", async () => {
  const find = (from: PublicKey, to: PublicKey) => from === C ? [] : [hopsOver(from, to)];
  await assert.rejects(
    routes({ up: [[B, "stcp"]], find }, { path: [B, C, D] }),
    (error: SkywireError) => hasCode(error, "route/not-found") && error.details["hop"] === 3,
  );
  await assert.rejects(
    routes({ up: [], find }, { path: [B, D] }),
    (error: SkywireError) => hasCode(error, "route/not-found") && error.details["hop"] === 1,
  );
});

Deno.test("chooseRoutes() takes parallel transports along a path as further routes", async () => {
  const parallel = (from: PublicKey, to: PublicKey): Hop => ({ transportId: idOf(from, to, 1), from, to });
  const find = (from: PublicKey, to: PublicKey) => [hopsOver(from, to), [parallel(from, to)]];
  assert.deepEqual(await routes({ up: [[B, "stcp"]], find }, { path: [B, D] }), ["bd", "bd'"]);
});

Deno.test("chooseRoutes() refuses paths that lead elsewhere or in a circle", async () => {
  for (const path of [[], [B], [D, B], [B, C, B, D], [A, D]]) {
    await assert.rejects(routes({ up: [] }, { path }), (error) => {
      assert.ok(error instanceof RefusedError);
      return hasCode(error, "route/bad-path");
    });
  }
});

Deno.test("chooseRoutes() follows a path of transports, or of both, to the letter", async () => {
  const edges = new Map([[idOf(B, C, 1), [B, C]], [idOf(C, D), [C, D]]] as const);
  const edgesOf = (id: TransportId): Promise<readonly [PublicKey, PublicKey] | undefined> =>
    Promise.resolve(edges.get(id));
  const find = (from: PublicKey, to: PublicKey): Hop[][] => [hopsOver(from, to)];
  const up: World["up"] = [[B, "dmsg"], [B, "stcp"]];
  assert.deepEqual(await routes({ up, find, edgesOf }, { path: [idOf(A, B), idOf(B, C, 1), idOf(C, D)] }), ["bc'd"]);
  assert.deepEqual(await routes({ up, find, edgesOf }, { path: [idOf(A, B, 1), C, D] }), ["b'cd"]);
  assert.deepEqual(await routes({ up, find, edgesOf }, { path: [B, idOf(B, C, 1), D] }), ["b'c'd", "bc'd"]);
});

Deno.test("chooseRoutes() names the hop and the visor where a path of transports breaks", async () => {
  const edgesOf = (id: TransportId): Promise<readonly [PublicKey, PublicKey] | undefined> =>
    Promise.resolve(id === idOf(C, D) ? [C, D] : undefined);
  const broken = (path: (PublicKey | TransportId)[], hop: number, text: string): Promise<void> =>
    assert.rejects(routes({ up: [[B, "stcp"]], edgesOf }, { path }), (error: SkywireError) => {
      assert.ok(error.message.includes(text), error.message);
      return hasCode(error, "route/not-found") && error.details["hop"] === hop;
    });
  await broken([idOf(A, D)], 1, `is none of this visor's (${A.slice(0, 8)})`);
  await broken([B, idOf(B, D)], 2, `from ${B.slice(0, 8)} on is not known`);
  await broken([B, idOf(C, D)], 2, `does not begin at ${B.slice(0, 8)}`);
  await assert.rejects(routes({ up: [[B, "stcp"]] }, { path: [idOf(A, B)] }), { code: "route/bad-path" });
});

Deno.test("chooseRoutes() asks for what is wished, and lets the finder judge where hops do not decide", async () => {
  const questions: unknown[] = [];
  const onQuestion = (question: unknown): number => questions.push(question);
  const find = (): Hop[][] => [hopsOver(A, B, D), hopsOver(A, D)];
  const up: World["up"] = [[B, "stcp"], [D, "stcp"]];
  assert.deepEqual(await routes({ up, find, onQuestion }, { metric: "latency", avoid: [C] }), ["bd", "d"]);
  assert.deepEqual(await routes({ up, find, onQuestion }, { via: [B] }), ["bd", "d"]);
  assert.deepEqual(await routes({ up, find: () => [], onQuestion }, { avoidTypes: ["dmsg"] }), ["d"]);
  await assert.rejects(routes({ up, find: () => [] }, { avoidTypes: ["stcp"] }), { code: "route/not-found" });
  assert.deepEqual(questions.map((question) => (question as { constraints: unknown }).constraints), [
    { metric: "latency", avoid: [C] },
    { via: [B] },
    { avoidTypes: ["dmsg"] },
  ]);
});
