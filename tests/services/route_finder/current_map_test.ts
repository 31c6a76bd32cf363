/** The finder knows of every transport that was registered before a question was asked, though its map comes later. */

import assert from "node:assert/strict";
import { type HttpServer, sleep } from "../../../lib/runtime/mod.ts";
import {
  createLocalRouteFinder,
  createRouteFinder,
  createRouteFinderClient,
  type RouteFinderClient,
} from "../../../lib/services/route_finder/mod.ts";
import {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  createTransportFeedClient,
  type FeedEvent,
  type TransportFeed,
} from "../../../lib/services/transport_discovery/mod.ts";
import type { Simulation } from "../../../lib/simulation/mod.ts";
import { createVirtualTime, simulationTest } from "../../fakes/mod.ts";
import { httpTo, makeWorld } from "../http/support.ts";
import { makeSigned, makeVisor } from "../transport_discovery/support.ts";

const [A, B, C] = [makeVisor(1), makeVisor(2), makeVisor(3)];
const LIMITS = { minHops: 1, maxHops: 50 };
const ASKED = { pairs: [[A.publicKey, B.publicKey]] as const, ...LIMITS };

/** A discovery, and a finder that follows it over HTTP and hears of changes late. */
class Stage implements AsyncDisposable {
  /** Paths that the discovery was asked for. */
  readonly asked: string[] = [];
  readonly #sim: Simulation;
  readonly #ends: (() => Promise<unknown>)[] = [];
  #serve: (() => Promise<HttpServer>) | undefined;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** @param options how late the finder hears of changes, ms; whether the discovery knows v1.3's paths only */
  async start(options: { readonly lateMs: number; readonly isV13: boolean }): Promise<RouteFinderClient> {
    const [host, finderHost, visor] = ["discovery", "finder", "visor"].map((name) => this.#sim.runtimeFor(name)) as [
      ReturnType<Simulation["runtimeFor"]>,
      ReturnType<Simulation["runtimeFor"]>,
      ReturnType<Simulation["runtimeFor"]>,
    ];
    const discovery = await createTransportDiscovery({ runtime: host });
    this.#serve = () =>
      host.http.serve("discovery:91", (request, context) => {
        const { pathname } = new URL(request.url);
        this.asked.push(pathname);
        const isUnknown = options.isV13 && (pathname === "/changes" || pathname.startsWith("/v2"));
        return isUnknown ? new Response("404 page not found\n", { status: 404 }) : discovery.fetch(request, context);
      });
    const server = await this.#serve();
    const feed = createTransportFeedClient({ ...finderHost, url: "http://discovery:91" });
    const late: TransportFeed = {
      ...feed,
      async *follow(where): AsyncGenerator<FeedEvent> {
        for await (const event of feed.follow(where)) {
          await sleep(finderHost.timers, options.lateMs, where.signal);
          yield event;
        }
      },
    };
    const finder = createRouteFinder({ runtime: finderHost, feed: late });
    const finderServer = await finderHost.http.serve("finder:92", (request, context) => finder.fetch(request, context));
    this.#ends.push(finder.close, discovery.close, finderServer.close, server.close);
    await this.#sim.run(finder.ready);
    return createRouteFinderClient({ ...visor, url: "http://finder:92" });
  }

  /** The discovery was killed, and is back. */
  async restart(): Promise<void> {
    this.#sim.revive("discovery");
    const server = await this.#serve?.();
    if (server !== undefined) this.#ends.push(server.close);
  }

  async register(): Promise<void> {
    const visor = this.#sim.runtimeFor("visor");
    const client = createTransportDiscoveryClient({ ...visor, url: "http://discovery:91", secret: A.secret });
    await this.#sim.run(client.register([makeSigned(A, B)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await this.#sim.run(end());
  }
}

simulationTest(
  "a finder elsewhere waits for what the discovery knows before it says that there is no route",
  async (sim) => {
    await using stage = new Stage(sim);
    const client = await stage.start({ lateMs: 300, isV13: false });
    await stage.register();
    const startMs = sim.nowMs;
    assert.equal((await sim.run(client.findRoutes(ASKED))).length, 1);
    assert.ok(sim.nowMs - startMs >= 100 && sim.nowMs - startMs < 1_000, `${sim.nowMs - startMs} ms`);
  },
);

simulationTest("a finder that is far behind answers within a second or so", async (sim) => {
  await using stage = new Stage(sim);
  const client = await stage.start({ lateMs: 5_000, isV13: false });
  await stage.register();
  const startMs = sim.nowMs;
  await assert.rejects(sim.run(client.findRoutes(ASKED)), { code: "route/not-found" });
  assert.ok(sim.nowMs - startMs < 1_500, `${sim.nowMs - startMs} ms`);
});

simulationTest("a discovery that is away is warned of once, and found again", async (sim) => {
  await using stage = new Stage(sim);
  const client = await stage.start({ lateMs: 0, isV13: false });
  sim.kill("discovery");
  await sim.run(5 * 60_000);
  const lines = (event: string): number => sim.logLines.filter((line) => line.includes(event)).length;
  assert.deepEqual([lines(" map-not-followed "), lines(" works-again ")], [1, 0]);
  const why = /changes of the map are not known: .*http:\/\/discovery:91/;
  assert.match(sim.logLines.find((line) => line.includes(" warn ")) ?? "", why);
  await stage.restart();
  await sim.run(15_000);
  assert.deepEqual([lines(" map-not-followed "), lines(" works-again ")], [1, 1]);
  await stage.register();
  assert.equal((await sim.run(client.findRoutes(ASKED))).length, 1);
});

simulationTest("a finder that follows a discovery of v1.3 asks it again at once, and not too often", async (sim) => {
  await using stage = new Stage(sim);
  const client = await stage.start({ lateMs: 0, isV13: true });
  await sim.run(2_000);
  await stage.register();
  const startMs = sim.nowMs;
  assert.equal((await sim.run(client.findRoutes(ASKED))).length, 1);
  assert.ok(sim.nowMs - startMs < 1_000, `${sim.nowMs - startMs} ms`);

  const polls = (): number => stage.asked.filter((path) => path === "/all-transports").length;
  const before = polls(), unknown = { pairs: [[A.publicKey, C.publicKey]] as const, ...LIMITS };
  const floodMs = sim.nowMs;
  for (let i = 0; i < 10; i++) {
    const questions = Array.from({ length: 20 }, () => client.findRoutes(unknown));
    for (const { status } of await sim.run(Promise.allSettled(questions))) assert.equal(status, "rejected");
  }
  assert.ok(polls() - before <= 1 + (sim.nowMs - floodMs) / 500, `${polls() - before} polls`);
});

Deno.test("a finder in the process of the discovery knows a transport as soon as its registration was answered", async () => {
  const { runtime } = makeWorld(0n);
  const discovery = await createTransportDiscovery({ runtime });
  const { http } = makeWorld(0n, httpTo({ discovery })).runtime;
  await using finder = createLocalRouteFinder({ runtime, feed: discovery.feed });
  await assert.rejects(finder.findRoutes(ASKED), { code: "route/not-found" });
  const client = createTransportDiscoveryClient({ ...runtime, http, url: "http://discovery", secret: A.secret });
  await client.register([makeSigned(A, B)]);
  assert.equal((await finder.findRoutes(ASKED)).length, 1);
  await discovery.close();
});

Deno.test("a finder in the process of the discovery answers though many changes came at once", async () => {
  const { clock, timers } = createVirtualTime();
  const { runtime } = makeWorld(0n);
  const discovery = await createTransportDiscovery({ runtime: { ...runtime, clock, timers } });
  await using finder = createLocalRouteFinder({ runtime: { ...runtime, timers }, feed: discovery.feed });
  await assert.rejects(finder.findRoutes(ASKED), { code: "route/not-found" });
  const { http } = makeWorld(0n, httpTo({ discovery })).runtime;
  const client = createTransportDiscoveryClient({ ...runtime, http, url: "http://discovery", secret: A.secret });
  const others = Array.from({ length: 30 }, (_, i) => makeSigned(A, B, { kind: `t${i}` }));
  await Promise.all(others.map((signed) => client.register([signed])));
  assert.equal((await finder.findRoutes(ASKED)).length, 1);
  await discovery.close();
});
