/** What edges report is kept, merged, served and told; and what is no longer reported expires. Over HTTP, in memory. */

import assert from "node:assert/strict";
import { at } from "../../../lib/types/at.ts";
import { openSqlite, type SqlDatabase } from "../../../lib/storage/mod.ts";
import {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  createTransportFeedClient,
  type EdgeStatus,
  type FeedEvent,
  type TransportDiscovery,
  type TransportDiscoveryClient,
} from "../../../lib/services/transport_discovery/mod.ts";
import type { HttpServer } from "../../../lib/runtime/mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { ask } from "../http/support.ts";
import { makeSigned, makeVisor, type TestVisor } from "./support.ts";

const [A, B, C] = [makeVisor(1), makeVisor(2), makeVisor(3)];
const AB = makeSigned(A, B), AC = makeSigned(A, C);
const URL = "http://discovery:80";

/** A discovery on virtual time that can be ended and started again on the same records. */
class World implements AsyncDisposable {
  readonly sim: Simulation;
  readonly #database: SqlDatabase | undefined;
  discovery!: TransportDiscovery;
  #server!: HttpServer;

  private constructor(sim: Simulation, database: SqlDatabase | undefined) {
    this.sim = sim;
    this.#database = database;
  }

  static async create(sim: Simulation, database?: SqlDatabase): Promise<World> {
    const world = new World(sim, database);
    await world.start();
    return world;
  }

  async start(): Promise<void> {
    const runtime = this.sim.runtimeFor("discovery");
    this.discovery = await createTransportDiscovery({ runtime, database: this.#database });
    this.#server = await runtime.http.serve("discovery:80", (...call) => this.discovery.fetch(...call));
  }

  async stop(): Promise<void> {
    await this.sim.run(this.discovery.close());
    await this.sim.run(this.#server.close());
  }

  clientOf({ secret }: TestVisor): TransportDiscoveryClient {
    return createTransportDiscoveryClient({ ...this.sim.runtimeFor("visor"), url: URL, secret });
  }

  /** One request of a visor, on virtual time. */
  async as<T>(visor: TestVisor, work: (client: TransportDiscoveryClient) => Promise<T>): Promise<T> {
    return await this.sim.run(work(this.clientOf(visor)));
  }

  async statusOf(id: string): Promise<string | undefined> {
    return (await this.as(A, (client) => client.map())).find((transport) => transport.id === id)?.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.sim.run(1_000);
    assert.equal(this.sim.pendingTimers, 0);
  }
}

function says(isWorking: boolean, more: Partial<EdgeStatus> = {}): EdgeStatus {
  return { id: AB.entry.id, isWorking, lastsMs: 0, ...more };
}

simulationTest("what both edges report is merged and served, with what each said", async (sim) => {
  await using world = await World.create(sim);
  await world.as(A, (client) => client.register([AB, AC]));
  assert.deepEqual((await world.as(C, (client) => client.map())).map(({ status }) => status), ["unknown", "unknown"]);

  assert.deepEqual(await world.as(A, (client) => client.report([says(true, { latencyMs: 10, lastsMs: 60_000 })])), []);
  assert.deepEqual(
    await world.as(B, (client) => client.report([says(true, { latencyMs: 20, throughputMBps: 5 })])),
    [],
  );
  const [ab] = await world.as(C, (client) => client.map());
  const { since, ...rest } = ab!;
  assert.deepEqual(rest, { ...AB.entry, status: "working", latencyMs: 15, throughputMBps: 5 });
  assert.ok(Math.abs(since! - sim.runtimeFor("discovery").clock.wallMs()) < 100, "since B saw it work, too");

  await world.as(B, (client) => client.report([says(false)]));
  assert.equal(await world.statusOf(AB.entry.id), "not-working");
  const { text } = await sim.run(ask(world.discovery.fetch, { method: "GET", path: `/v2/transports/${AB.entry.id}` }));
  const { status, views } = JSON.parse(text);
  assert.equal(status, "not-working");
  assert.deepEqual(
    views.map((view: { edge: string; status: string }) => [view.edge, view.status]),
    AB.entry.edges.map(
      (edge) => [edge, edge === A.publicKey ? "working" : "not-working"],
    ),
  );
});

simulationTest("an edge is told what is not listed as its own; nobody speaks for others", async (sim) => {
  await using world = await World.create(sim);
  await world.as(A, (client) => client.register([AB]));
  const unlisted = await world.as(C, (client) => client.report([says(false), says(true, { id: AC.entry.id })]));
  assert.deepEqual(unlisted, [AB.entry.id, AC.entry.id]);
  assert.equal(await world.statusOf(AB.entry.id), "unknown");
});

simulationTest("a report that is none, or not signed, is refused with a reason", async (sim) => {
  await using world = await World.create(sim);
  const bad = { ...says(true), lastsMs: -1 };
  await assert.rejects(world.as(A, (client) => client.report([bad])), { code: "transport-discovery/refused" });
  const path = "/v2/statuses";
  const { status } = await sim.run(ask(world.discovery.fetch, { method: "POST", path, body: '{"statuses":[]}' }));
  assert.equal(status, 401);
});

simulationTest("the lists of v1.3 leave out what does not work, and have it again when it does", async (sim) => {
  await using world = await World.create(sim);
  const client = world.clientOf(A);
  const lists = async (): Promise<number[]> =>
    await sim.run(async () => [
      (await client.all()).length,
      (await client.byEdge(B.publicKey)).length,
      await client.byId(AB.entry.id) === undefined ? 0 : 1,
    ]);
  await sim.run(client.register([AB]));
  assert.deepEqual(await lists(), [1, 1, 1]);
  await world.as(B, (client) => client.report([says(false)]));
  assert.deepEqual(await lists(), [0, 0, 0]);
  await world.as(B, (client) => client.report([says(true)]));
  assert.deepEqual(await lists(), [1, 1, 1]);
  await world.as(B, (client) => client.report([says(false)]));
  await sim.run(client.deregister(AB.entry.id));
  assert.equal(await world.statusOf(AB.entry.id), undefined);
});

simulationTest("followers hear of every status, and of figures that changed much", async (sim) => {
  await using world = await World.create(sim);
  await world.as(A, (client) => client.register([AB]));
  await world.as(A, (client) => client.report([says(true, { latencyMs: 10 })]));
  const leaving = new AbortController();
  const feed = createTransportFeedClient({ ...sim.runtimeFor("finder"), url: URL });
  const events = feed.follow({ signal: leaving.signal })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown[]> => {
    const event: FeedEvent = (await sim.run(events.next())).value;
    return event.type === "snapshot" ? [...event.entries] : [...event.changes];
  };
  assert.deepEqual(await next(), [{ ...AB.entry, status: "working", latencyMs: 10 }]);
  await world.as(A, (client) => client.report([says(true, { latencyMs: 10.5 })]));
  await world.as(A, (client) => client.report([says(true, { latencyMs: 50 })]));
  assert.deepEqual(await next(), [{ added: { ...AB.entry, status: "working", latencyMs: 50 } }]);
  await world.as(B, (client) => client.report([says(false)]));
  assert.deepEqual(await next(), [{ added: { ...AB.entry, status: "not-working", latencyMs: 50 } }]);
  const expiring = [await next(), await next()];
  assert.deepEqual(
    expiring,
    [[{ added: { ...AB.entry, status: "not-working" } }], [{ removed: AB.entry.id }]],
  );
  leaving.abort();
});

simulationTest(
  "what was reported expires after three minutes without report; what never was, lives on",
  async (sim) => {
    await using world = await World.create(sim);
    await world.as(A, (client) => client.register([AB, AC]));
    await world.as(A, (client) => client.report([says(true)]));
    await sim.run(100_000);
    assert.equal(await world.statusOf(AB.entry.id), "unknown");
    await sim.run(70_000);
    assert.equal(await world.statusOf(AB.entry.id), "unknown");
    await sim.run(20_000);
    assert.equal(await world.statusOf(AB.entry.id), undefined);
    await sim.run(24 * 3_600_000);
    assert.equal(await world.statusOf(AC.entry.id), "unknown");
  },
);

simulationTest("either edge keeps a transport listed, by reports or by registering again", async (sim) => {
  await using world = await World.create(sim);
  await world.as(A, (client) => client.register([AB]));
  await world.as(A, (client) => client.report([says(true)]));
  for (let minute = 0; minute < 10; minute++) {
    await sim.run(120_000);
    if (minute % 2 === 0) await world.as(B, (client) => client.report([says(false)]));
    else await world.as(B, (client) => client.register([AB]));
    assert.equal(await world.statusOf(AB.entry.id), "not-working");
  }
});

simulationTest(
  "a discovery that was restarted remembers what may expire, and its followers begin anew",
  async (sim) => {
    await using database = openSqlite(":memory:");
    await using world = await World.create(sim, database);
    await world.as(A, (client) => client.register([AB, AC]));
    await world.as(A, (client) => client.report([says(true)]));
    const leaving = new AbortController();
    const feed = createTransportFeedClient({ ...sim.runtimeFor("finder"), url: URL });
    const follow = (after?: string): AsyncIterator<FeedEvent> =>
      feed.follow({ after, signal: leaving.signal })[Symbol.asyncIterator]();
    const before: FeedEvent = (await sim.run(follow().next())).value;
    assert.ok(before.position !== undefined);

    await world.stop();
    await world.start();
    await world.as(A, (client) => client.deregister(AC.entry.id));
    const after: FeedEvent = (await sim.run(follow(before.position).next())).value;
    assert.ok(after.type === "snapshot" && after.isFirst, "numbers of another run mean nothing");
    assert.deepEqual(after.entries, [{ ...AB.entry, status: "unknown" }]);
    leaving.abort();
    await sim.run(170_000);
    assert.equal(await world.statusOf(AB.entry.id), "unknown");
    await sim.run(20_000);
    assert.equal(await world.statusOf(AB.entry.id), undefined);
  },
);

simulationTest(
  "a follower that was cut off goes on where it was, without a gap, and one that was away too long begins anew",
  async (sim) => {
    await using world = await World.create(sim);
    const feed = createTransportFeedClient({ ...sim.runtimeFor("finder"), url: URL });
    const known = new Set<string>();
    let position: string | undefined;
    let snapshots = 0;
    /** Follows for a while, from where it was. */
    const follow = async (ms: number): Promise<void> => {
      const connection = new AbortController();
      const following = (async (): Promise<void> => {
        for await (const event of feed.follow({ after: position, signal: connection.signal })) {
          if (event.type === "snapshot" && event.isFirst) {
            known.clear();
            snapshots++;
          }
          const changes = event.type === "changes" ? event.changes : event.entries.map((added) => ({ added }));
          for (const change of changes) {
            if ("added" in change) known.add(change.added.id);
            else known.delete(change.removed);
          }
          position = event.position ?? position;
        }
      })().catch(() => {});
      await sim.run(ms);
      connection.abort();
      await sim.run(following);
    };
    await follow(1_000);
    for (let round = 0; round < 5; round++) {
      const signed = [makeSigned(A, B, { kind: `t${round}` }), makeSigned(A, B, { kind: `u${round}` })];
      await world.as(A, (client) => client.register(signed));
      await world.as(A, (client) => client.deregister(at(signed, 1).entry.id));
      await follow(1_000);
      assert.equal(known.size, round + 1);
    }
    assert.equal(snapshots, 1, "nothing was told twice");

    // More changes than are remembered.
    const { id } = makeSigned(A, B, { kind: "t0" }).entry;
    const flapping = Array.from({ length: 250 }, (_, i) => says(i % 2 === 0, { id }));
    for (let i = 0; i < 81; i++) await world.as(A, (client) => client.report(flapping));
    await follow(5_000);
    assert.equal(snapshots, 2);
    assert.equal(known.size, 5);
  },
);

simulationTest("a discovery of v1.3 is told nothing that it does not know, and its map has no status", async (sim) => {
  const runtime = sim.runtimeFor("discovery");
  const paths: string[] = [];
  const server = await runtime.http.serve("discovery:80", (request) => {
    const { pathname } = new globalThis.URL(request.url);
    paths.push(`${request.method} ${pathname}`);
    if (pathname.startsWith("/security/")) return Response.json({ next_nonce: 0 });
    if (pathname !== "/all-transports") return new Response("404 page not found\n", { status: 404 });
    return Response.json([{ t_id: AB.entry.id, edges: AB.entry.edges, type: "stcp", label: "user" }]);
  });
  const client = createTransportDiscoveryClient({ ...sim.runtimeFor("visor"), url: URL, secret: A.secret });
  assert.equal(await sim.run(client.report([says(true)])), undefined);
  assert.deepEqual(await sim.run(client.map()), [{ ...AB.entry, status: "unknown" }]);
  await sim.run(server.close());
});
