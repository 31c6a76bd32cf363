/**
 * Visors that find each other by key through the address resolver: whole visors on virtual time. Hosts are named like
 * addresses, so that what counts as public is decided as on the Internet.
 */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { DEFAULT_PORTS, formatTicket, parseTicket } from "../../lib/network/mod.ts";
import { startVisor, type Visor, type VisorOptions } from "../../lib/visor/mod.ts";
import { createMemoryStorage, type Simulation, simulationTest } from "../fakes/mod.ts";

const CONTROL = "198.51.100.1";

/** Starts visors and ends them with the test. */
class Stage implements AsyncDisposable {
  readonly #sim: Simulation;
  readonly #visors: Visor[] = [];

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** The first one is a network of one, the others join it. */
  async start(host: string, options: Partial<VisorOptions> = {}): Promise<Visor> {
    const [first] = this.#visors;
    const visor = await this.#sim.run(startVisor({
      runtime: this.#sim.runtimeFor(host),
      storage: createMemoryStorage(),
      host,
      ...(first === undefined ? {} : { join: first.ticket }),
      ...options,
    }));
    this.#visors.push(visor);
    return visor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const visor of this.#visors.reverse()) await this.#sim.run(async () => await visor[Symbol.asyncDispose]());
  }
}

/** Lets time pass. */
function pass(sim: Simulation, ms: number): Promise<void> {
  return sim.run(new Promise<void>((resolve) => sim.runtimeFor("clock").timers.after(ms, resolve)), ms + 1_000);
}

function typesOf(visor: Visor): string[] {
  return visor.transports.list().filter(({ up }) => up).map(({ type }) => type);
}

simulationTest("a dial without a route takes TCP to a public visor, and a messaging server to others", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const [open, hidden, other] = [
    await stage.start("198.51.100.2"),
    await stage.start("10.0.0.3"),
    await stage.start("10.0.0.4"),
  ];
  assert.ok(open.listeners.some(({ purpose }) => purpose === "transport-stcpr"));
  assert.ok(!hidden.listeners.some(({ purpose }) => purpose === "transport-stcpr"));
  await pass(sim, 1_000);
  await sim.run(hidden.routes.ping(open.publicKey, { count: 1 }));
  assert.deepEqual(typesOf(hidden), ["stcpr"]);
  await sim.run(other.routes.ping(hidden.publicKey, { count: 1 }));
  assert.deepEqual(typesOf(other), ["dmsg"]);
});

simulationTest("a public visor that is listed and does not answer is reached over a messaging server", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const [open, other] = [await stage.start("198.51.100.2"), await stage.start("10.0.0.4")];
  await pass(sim, 1_000);
  sim.partition("10.0.0.4", "198.51.100.2");
  await sim.run(other.routes.ping(open.publicKey, { count: 1 }), 60_000);
  assert.deepEqual(typesOf(other), ["dmsg"]);
  sim.heal("10.0.0.4", "198.51.100.2");
});

simulationTest(
  "two visors of one private network reach each other over TCP when its services are there too",
  async (sim) => {
    await using stage = new Stage(sim);
    const [first, second, third] = [
      await stage.start("10.9.0.1"),
      await stage.start("10.9.0.2"),
      await stage.start("10.9.0.3"),
    ];
    for (const visor of [first, second, third]) {
      assert.ok(visor.listeners.some(({ purpose }) => purpose === "transport-stcpr"));
    }
    await pass(sim, 1_000);
    await sim.run(second.routes.ping(first.publicKey, { count: 1 }));
    await sim.run(second.routes.ping(third.publicKey, { count: 1 }));
    assert.deepEqual(typesOf(second), ["stcpr", "stcpr"]);
  },
);

simulationTest(
  "a name is as good as the address it leads to, on the Internet and in a private network",
  async (sim) => {
    for (const [host, other] of [["198.51.100.2", "198.51.100.3"], ["10.9.0.2", "10.9.0.3"]] as const) {
      await using stage = new Stage(sim);
      sim.nameHost("first.example", host);
      sim.nameHost("second.example", other);
      const first = await stage.start(host, { host: "first.example" });
      const second = await stage.start(other, { host: "second.example" });
      await pass(sim, 1_000);
      await sim.run(second.routes.ping(first.publicKey, { count: 1 }));
      await sim.run(first.routes.ping(second.publicKey, { count: 1 }));
      assert.deepEqual(typesOf(second), ["stcpr"]);
      for (const visor of [first, second]) {
        const { checks } = await sim.run(visor.status());
        assert.equal(checks.find(({ name }) => name === "public-address")?.state, "ok");
      }
    }
  },
);

simulationTest("a name that leads to a private address is not made public on the Internet", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  sim.nameHost("laptop.local", "10.0.0.3");
  const hidden = await stage.start("10.0.0.3", { host: "laptop.local" });
  assert.ok(!hidden.listeners.some(({ purpose }) => purpose === "transport-stcpr"));
});

simulationTest("a name that cannot be resolved yet is public, and is bound when it can", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const { network, ...runtime } = sim.runtimeFor("198.51.100.2");
  let isKnown = false;
  const resolve = (host: string): Promise<readonly string[]> =>
    isKnown ? Promise.resolve([host === "open.example" ? "198.51.100.2" : host]) : Promise.reject(new Error("no DNS"));
  const open = await stage.start("198.51.100.2", {
    host: "open.example",
    runtime: { ...runtime, network: { ...network, resolve } },
  });
  const other = await stage.start("10.0.0.3");
  await assert.rejects(sim.run(other.transports.add(open.publicKey, { kind: "stcpr" })));
  isKnown = true;
  await pass(sim, 60_000);
  assert.equal((await sim.run(other.transports.add(open.publicKey, { kind: "stcpr" }))).up, true);
});

simulationTest("visors are found by key through a resolver that is named by its key, too", async (sim) => {
  for (const [host, other] of [["198.51.100.2", "198.51.100.3"], ["10.9.0.2", "10.9.0.3"]] as const) {
    await using stage = new Stage(sim);
    const first = await stage.start(host);
    const network = parseTicket(first.ticket);
    const [setupNode] = network.setupNodes;
    const ticket = formatTicket({
      ...network,
      addressResolver: `http://${setupNode}.sky:${DEFAULT_PORTS["address-resolver"]}`,
    });
    const second = await stage.start(other, { join: ticket });
    await pass(sim, 5_000);
    await sim.run(first.routes.ping(second.publicKey, { count: 1 }));
    await sim.run(second.routes.ping(first.publicKey, { count: 1 }));
    assert.deepEqual([typesOf(first), typesOf(second)], [["stcpr"], ["stcpr"]]);
  }
});

simulationTest("why a transport is relayed stands in log, explain, status and events", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const [hidden, other] = [await stage.start("10.0.0.3"), await stage.start("10.0.0.4")];
  const stop = new AbortController();
  const removed: unknown[] = [];
  const listening = (async () => {
    for await (const event of other.events({ signal: stop.signal })) {
      if (event.type === "transport-removed") removed.push(event.reason);
    }
  })();
  await pass(sim, 1_000);
  await sim.run(other.routes.ping(hidden.publicKey, { count: 1 }));
  const why = /the address resolver does not know where/;
  const [explained] = await sim.run(other.routes.explain(hidden.publicKey));
  assert.match(explained?.reason ?? "", why);
  const { checks } = await sim.run(other.status());
  assert.match(checks.find(({ name }) => name === "transports")?.detail ?? "", why);
  for (const line of ["transport-removed", "no-tcp-transport"]) {
    assert.match(sim.logLines.find((text) => text.includes(line)) ?? "", why);
  }
  assert.match(String(removed[0]), why);
  stop.abort();
  await listening;
});

simulationTest("a dial does not wait for TCP that is silent", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const [open, other] = [await stage.start("198.51.100.2"), await stage.start("10.0.0.4")];
  await pass(sim, 1_000);
  sim.partition("10.0.0.4", "198.51.100.2");
  const began = sim.nowMs;
  await sim.run(other.routes.ping(open.publicKey, { count: 1 }));
  assert.ok(sim.nowMs - began < 2_000, `${sim.nowMs - began} ms`);
  assert.deepEqual(typesOf(other), ["dmsg"]);
  sim.heal("10.0.0.4", "198.51.100.2");
});

simulationTest("route explain tells why a dial goes round a messaging transport that only stood in", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const [a, b, c] = [await stage.start("10.0.0.2"), await stage.start("10.0.0.3"), await stage.start("10.0.0.4")];
  await sim.run(a.routes.ping(c.publicKey, { count: 1 }));
  const explained = async () =>
    (await sim.run(a.routes.explain(c.publicKey))).map(({ visors, chosen, reason }) => ({
      hops: visors.length - 1,
      chosen,
      reason,
    }));
  await pass(sim, 1_000);
  assert.deepEqual((await explained()).map(({ hops, chosen }) => [hops, chosen]), [[1, true]]);
  for (const [from, to, host] of [[a, b, "10.0.0.3"], [b, c, "10.0.0.4"]] as const) {
    await sim.run(from.transports.add(to.publicKey, { kind: "stcp", address: `${host}:7777` }));
  }
  await pass(sim, 1_000);
  const [chosen, other] = await explained();
  assert.deepEqual([chosen?.hops, chosen?.chosen, other?.hops, other?.chosen], [2, true, 1, false]);
  assert.match(other?.reason ?? "", /only stands in/);
  assert.equal((await sim.run(a.routes.ping(c.publicKey, { count: 1 }))).hops, 2);
});

simulationTest("a transport to a public visor needs its key only, and says why when there is none", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const [open, hidden, other] = [
    await stage.start("198.51.100.2"),
    await stage.start("10.0.0.3"),
    await stage.start("10.0.0.4"),
  ];
  await pass(sim, 1_000);
  const transport = await sim.run(hidden.transports.add(open.publicKey, { kind: "stcpr" }));
  assert.deepEqual([transport.type, transport.up], ["stcpr", true]);
  await assert.rejects(
    sim.run(other.transports.add(hidden.publicKey, { kind: "stcpr" })),
    (error) => hasCode(error, "transport/not-public"),
  );
});

simulationTest(
  "a private address is not made public by itself, and a resolver on the Internet refuses it",
  async (sim) => {
    await using stage = new Stage(sim);
    await stage.start(CONTROL);
    const visor = await stage.start("10.0.0.3", { public: true });
    await pass(sim, 1_000);
    const check = (await sim.run(visor.status())).checks.find(({ name }) => name === "public-address");
    assert.equal(check?.state, "degraded");
    assert.match(check?.detail ?? "", /Invalid IP address/);
  },
);

simulationTest("a visor stays found while it runs, and not after it has ended", async (sim) => {
  await using stage = new Stage(sim);
  await stage.start(CONTROL);
  const hidden = await stage.start("10.0.0.3");
  const open = await stage.start("198.51.100.2");
  await pass(sim, 30 * 60_000);
  const { id } = await sim.run(hidden.transports.add(open.publicKey, { kind: "stcpr" }));
  await sim.run(hidden.transports.remove(id));
  await sim.run(async () => await open[Symbol.asyncDispose]());
  await assert.rejects(
    sim.run(hidden.transports.add(open.publicKey, { kind: "stcpr" })),
    (error) => hasCode(error, "transport/not-public"),
  );
});

simulationTest(
  "autoconnect keeps three transports to public visors, replaces dead ones, and is off by default",
  async (sim) => {
    await using stage = new Stage(sim);
    await stage.start(CONTROL);
    const open: Visor[] = [];
    for (let i = 2; i < 7; i++) open.push(await stage.start(`198.51.100.${i}`));
    const connected = await stage.start("10.0.0.3", { autoconnect: true });
    const idle = await stage.start("10.0.0.4");
    await pass(sim, 60_000);
    assert.deepEqual(typesOf(connected), ["stcpr", "stcpr", "stcpr"]);
    assert.deepEqual(typesOf(idle), []);
    const [lost] = connected.transports.list();
    const host = `198.51.100.${2 + open.findIndex(({ publicKey }) => publicKey === lost?.remote)}`;
    sim.partition("10.0.0.3", host);
    await pass(sim, 8 * 60_000);
    assert.equal(typesOf(connected).length, 3);
    assert.ok(!connected.transports.list().some(({ remote }) => remote === lost?.remote));
    sim.heal("10.0.0.3", host);
  },
);

simulationTest(
  "with a service discovery, public visors are those that it lists, and uptime is reported",
  async (sim) => {
    await using stage = new Stage(sim);
    const first = await stage.start(CONTROL);
    const asked: { method: string; path: string; body: string }[] = [];
    const listed: string[] = [];
    const services = await sim.runtimeFor("198.51.100.9").http.serve("198.51.100.9:9098", async (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname.startsWith("/security/nonces/")) return new Response('{"next_nonce":0}');
      asked.push({ method: request.method, path: pathname + search, body: await request.text() });
      if (request.method === "GET" && pathname === "/api/services") {
        return new Response(JSON.stringify(listed.map((address) => ({ address, type: "visor" }))));
      }
      return new Response("true");
    });
    const url = "http://198.51.100.9:9098";
    const parsed = await parseTicket(first.ticket);
    const join = formatTicket({ ...parsed, serviceDiscovery: url, uptimeTracker: url });
    const open = await stage.start("198.51.100.2", { join });
    await pass(sim, 1_000);
    const post = asked.find(({ method }) => method === "POST");
    assert.equal(post?.path, "/api/services");
    assert.deepEqual(JSON.parse(post?.body ?? "{}").local_ips, ["198.51.100.2"]);
    assert.ok(asked.some(({ path }) => path.startsWith("/v4/update?version=")));
    listed.push(JSON.parse(post?.body ?? "{}").address);
    const other = await stage.start("198.51.100.3", { join, autoconnect: true });
    await pass(sim, 60_000);
    assert.deepEqual(other.transports.list().map(({ remote }) => remote), [open.publicKey]);
    await sim.run(async () => await open[Symbol.asyncDispose]());
    assert.ok(asked.some(({ method, path }) => method === "DELETE" && path.includes(open.publicKey)));
    await sim.run(services.close());
  },
);
