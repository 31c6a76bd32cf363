import assert from "node:assert/strict";
import { createRouteFinder, createRouteFinderClient } from "../../../lib/services/route_finder/mod.ts";
import {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  createTransportFeedClient,
  type FeedEvent,
  type TransportDiscoveryClient,
  type TransportFeed,
} from "../../../lib/services/transport_discovery/mod.ts";
import { UnavailableError } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import type { HttpServer } from "../../../lib/runtime/mod.ts";
import { openSqlite } from "../../../lib/storage/mod.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { ask, httpTo, makeWorld } from "../http/support.ts";
import { makeSigned, makeVisor } from "../transport_discovery/support.ts";
import { feedOf } from "../../paths/support.ts";

const [A, B, C, D] = [makeVisor(1), makeVisor(2), makeVisor(3), makeVisor(4)];
const PAIR = [A.publicKey, D.publicKey] as const;
const LIMITS = { minHops: 1, maxHops: 50 };

simulationTest("a route is found as soon as its last transport is registered, and is gone with it", async (sim) => {
  const [control, visor] = [sim.runtimeFor("control"), sim.runtimeFor("visor")];
  const discovery = await createTransportDiscovery({ runtime: control });
  const finder = createRouteFinder({ runtime: control, feed: discovery.feed });
  const servers = await Promise.all([
    control.http.serve("control:91", (request, context) => discovery.fetch(request, context)),
    control.http.serve("control:92", (request, context) => finder.fetch(request, context)),
  ]);
  const client = createRouteFinderClient({ ...visor, url: "http://control:92" });
  const register = (secret: typeof A.secret): TransportDiscoveryClient =>
    createTransportDiscoveryClient({ ...visor, url: "http://control:91", secret });

  await sim.run(register(A.secret).register([makeSigned(A, B)]));
  await sim.run(register(C.secret).register([makeSigned(C, D)]));
  await assert.rejects(sim.run(client.findRoutes({ pairs: [PAIR], ...LIMITS })), (error) => {
    return error instanceof UnavailableError && error.code === "route/not-found";
  });
  await sim.run(register(B.secret).register([makeSigned(B, C)]));
  const [routes] = await sim.run(client.findRoutes({ pairs: [PAIR], ...LIMITS }));
  assert.deepEqual(routes?.[0]?.map(({ to }) => to), [B, C, D].map(({ publicKey }) => publicKey));
  await sim.run(register(C.secret).deregister(makeSigned(B, C).entry.id));
  await assert.rejects(sim.run(client.findRoutes({ pairs: [PAIR], ...LIMITS })), { code: "route/not-found" });

  await finder.close();
  await discovery.close();
  await sim.run(Promise.all(servers.map((server) => server.close())));
});

simulationTest("the finder answers from its last map while the discovery is away, and catches up", async (sim) => {
  const [host, visor] = [sim.runtimeFor("discovery"), sim.runtimeFor("finder")];
  await using database = openSqlite(":memory:");
  let stop: () => Promise<void> = () => Promise.resolve();
  const start = async (): Promise<void> => {
    const discovery = await createTransportDiscovery({ runtime: host, database });
    const server: HttpServer = await host.http.serve(
      "discovery:91",
      (request, context) => discovery.fetch(request, context),
    );
    stop = async () => {
      await discovery.close();
      await server.close();
    };
  };
  const register = (): TransportDiscoveryClient =>
    createTransportDiscoveryClient({ ...visor, url: "http://discovery:91", secret: A.secret });

  const finder = createRouteFinder({
    runtime: visor,
    feed: createTransportFeedClient({ ...visor, url: "http://discovery:91" }),
  });
  const status = async (destination: typeof B): Promise<number> => {
    const body = `{"Edges":["${A.publicKey}:${destination.publicKey}"],"Opts":{"MinHops":1,"MaxHops":3}}`;
    return (await sim.run(ask(finder.fetch, { method: "POST", path: "/routes", body }))).status;
  };
  assert.equal(await status(B), 503);

  await start();
  await sim.run(register().register([makeSigned(A, B)]));
  await sim.run(finder.ready);
  assert.equal(await status(B), 200);

  await sim.run(stop());
  await sim.run(60_000);
  assert.equal(await status(B), 200);

  await start();
  await sim.run(register().register([makeSigned(A, C)]));
  await sim.run(register().deregister(makeSigned(A, B).entry.id));
  await sim.run(10_000);
  assert.deepEqual([await status(B), await status(C)], [404, 200]);

  await sim.run(finder.close());
  await sim.run(stop());
});

Deno.test("a broken snapshot does not take the place of the last map", async () => {
  const world = makeWorld(0n);
  let follows = 0;
  const feed: TransportFeed = {
    async *follow({ after }): AsyncGenerator<FeedEvent> {
      if (++follows === 1) {
        yield* [{ type: "snapshot", isFirst: true, isLast: true, entries: [makeSigned(A, B).entry], position: "1" }];
        throw new UnavailableError("test/broken", "Break");
      }
      assert.equal(after, "1");
      yield { type: "snapshot", isFirst: true, isLast: false, entries: [] };
      throw new UnavailableError("test/broken", "Break again");
    },
  };
  const finder = createRouteFinder({ runtime: world.runtime, feed });
  await finder.ready;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    world.fireTimers();
  }
  const body = `{"Edges":["${A.publicKey}:${B.publicKey}"],"Opts":{"MinHops":1,"MaxHops":1}}`;
  assert.equal((await ask(finder.fetch, { method: "POST", path: "/routes", body })).status, 200);
  assert.ok(follows >= 2);
  await finder.close();
});

Deno.test("the client gives routes of every pair, and refuses answers that lead elsewhere", async () => {
  const world = makeWorld(0n);
  const finder = createRouteFinder({
    runtime: world.runtime,
    feed: feedOf([makeSigned(A, B).entry, makeSigned(B, D).entry]),
  });
  await finder.ready;
  const { http, timers } = makeWorld(0n, httpTo({ finder })).runtime;
  const client = createRouteFinderClient({ http, timers, url: "http://finder" });
  const back = [D.publicKey, A.publicKey] as const;
  const [[there], [again]] = await client.findRoutes({ pairs: [PAIR, back], ...LIMITS }) as [unknown[][], unknown[][]];
  assert.deepEqual([there?.length, again?.length], [2, 2]);
  const self = [[A.publicKey, A.publicKey]] as const;
  assert.deepEqual(await client.findRoutes({ pairs: self, minHops: 0, maxHops: 2 }), [[[]]]);
  await finder.close();

  const answers = [
    "{}",
    "[]",
    `{"${PAIR.join(":")}":[]}`,
    `{"${PAIR.join(":")}":[[{"TpID":"x"}]]}`,
    `{"${PAIR.join(":")}":[null]}`,
  ];
  for (const text of answers) {
    const lying = createRouteFinderClient({
      ...makeWorld(0n, () => Promise.resolve(new Response(text))).runtime,
      url: "http://finder",
    });
    await assert.rejects(lying.findRoutes({ pairs: [PAIR], ...LIMITS }), { code: "route-finder/bad-answer" }, text);
  }
});

Deno.test("the route finder serves curl, and follows a discovery over real HTTP", async () => {
  using runtime = createDenoRuntime({ logSink: () => {} });
  const discovery = await createTransportDiscovery({ runtime });
  const map = await runtime.http.serve("127.0.0.1:0", (request, context) => discovery.fetch(request, context));
  const finder = createRouteFinder({ runtime, feed: createTransportFeedClient({ ...runtime, url: map.url }) });
  const server = await runtime.http.serve("127.0.0.1:0", (request, context) => finder.fetch(request, context));
  try {
    await finder.ready;
    const client = createTransportDiscoveryClient({ ...runtime, url: map.url, secret: A.secret });
    await client.register([makeSigned(A, B)]);
    const question = `{"Edges":["${A.publicKey}:${B.publicKey}"],"Opts":{"MinHops":1,"MaxHops":50}}`;
    const ask = async (): Promise<string> => {
      const args = ["-s", "--noproxy", "*", "-d", question, `${server.url}/routes`];
      return new TextDecoder().decode((await new Deno.Command("curl", { args }).output()).stdout);
    };
    // A process of curl takes far longer than the change does to arrive.
    let answer = await ask();
    for (let tries = 0; tries < 20 && answer.includes("error"); tries++) answer = await ask();
    const { id } = makeSigned(A, B).entry;
    const hop = `{"TpID":"${id}","From":"${A.publicKey}","To":"${B.publicKey}"}`;
    assert.equal(answer, `{"${A.publicKey}:${B.publicKey}":[[${hop}]]}`);
  } finally {
    await finder.close();
    await discovery.close();
    await server.close();
    await map.close();
  }
});
