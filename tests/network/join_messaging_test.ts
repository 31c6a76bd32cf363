/** The messaging discovery at its public key, and clients that know nothing else but a server's. */

import assert from "node:assert/strict";
import { createMessagingServer, serveHttp } from "../../lib/messaging/mod.ts";
import type { MessagingClient } from "../../lib/messaging/mod.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import type { Runtime } from "../../lib/runtime/mod.ts";
import type { HttpService } from "../../lib/services/http/mod.ts";
import { joinMessaging } from "../../lib/network/join_messaging.ts";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
} from "../../lib/services/messaging_discovery/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import { assertEchoes, echo } from "../messaging/world.ts";
import { secretOf } from "../messaging/support.ts";

/** Starts a discovery that is reached at a public key only, and a server that knows it by being in the same process. */
async function startHub(
  runtime: Runtime,
  listen: string,
): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly server: { publicKey: MessagingClient["publicKey"]; address: string };
    readonly service: HttpService;
  }
> {
  await using stack = new AsyncDisposableStack();
  const service: HttpService = await createMessagingDiscovery({
    runtime,
    allowLoopback: true,
    messaging: {
      get publicKey() {
        return messaging.publicKey;
      },
      get sessions() {
        return messaging.sessions;
      },
    },
  });
  stack.defer(() => service.close());
  const inside = {
    ...runtime,
    http: { ...runtime.http, fetch: (request: Request) => service.fetch(request) },
    url: "http://inside",
  };
  const discovery = createMessagingDiscoveryClient(inside);
  const server = stack.use(await createMessagingServer({ runtime, secret: secretOf(1), listen, discovery }));
  const { messaging } = joinMessaging({ runtime: inside, secret: secretOf(2), url: inside.url, minSessions: 8 });
  stack.use(messaging);
  stack.use(serveHttp({ messaging, handler: service.fetch, timers: runtime.timers, log: runtime.log }));
  await messaging.ready;
  const owned = stack.move();
  return {
    url: `dmsg://${messaging.publicKey}:80`,
    server: { publicKey: server.publicKey, address: server.address },
    service,
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

simulationTest("two clients that know a server and the discovery's key find each other", async (sim) => {
  const hub = await sim.run(startHub(sim.runtimeFor("hub"), "hub:8081"));
  const [alice, bob] = ["alice", "bob"].map((host, i) =>
    joinMessaging({ runtime: sim.runtimeFor(host), secret: secretOf(11 + i), url: hub.url, servers: [hub.server] })
  ) as [ReturnType<typeof joinMessaging>, ReturnType<typeof joinMessaging>];
  await sim.run(Promise.all([alice.messaging.ready, bob.messaging.ready]), 10_000);
  echo(bob.messaging.listen(7));
  const stream = await sim.run(alice.messaging.dial(bob.messaging.publicKey, 7));
  await sim.run(assertEchoes(stream, { runtime: sim.runtimeFor("alice"), length: 1_000 }));
  stream.close();
  const health = await sim.run(alice.http.fetch(new Request(`${hub.url}/health`)));
  const { dmsg_address, dmsg_servers } = await sim.run(health.json());
  assert.deepEqual([`dmsg://${dmsg_address}`, dmsg_servers], [hub.url, [hub.server.publicKey]]);
  for (const { messaging } of [alice, bob]) await sim.run(async () => await messaging[Symbol.asyncDispose]());
  await sim.run(async () => await hub[Symbol.asyncDispose]());
});

simulationTest("a client that knows only keys is back by itself after its server was away", async (sim) => {
  const hub = await sim.run(startHub(sim.runtimeFor("hub"), "hub:8081"));
  const { messaging } = joinMessaging({
    runtime: sim.runtimeFor("alice"),
    secret: secretOf(11),
    url: hub.url,
    servers: [hub.server],
  });
  await sim.run(messaging.ready, 10_000);
  sim.partition("alice", "hub");
  await sim.run(120_000);
  assert.equal(messaging.sessions.length, 0);
  sim.heal("alice", "hub");
  await sim.run(60_000);
  assert.equal(messaging.sessions.length, 1);
  await sim.run(async () => await messaging[Symbol.asyncDispose]());
  await sim.run(async () => await hub[Symbol.asyncDispose]());
});

Deno.test("joinMessaging() wants a server that leads to a discovery with a key", () => {
  const runtime = createDenoRuntime({ logLevel: "off" });
  const url = "dmsg://02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5:80";
  assert.throws(() => joinMessaging({ runtime, secret: secretOf(1), url }), { code: "messaging/no-servers" });
});

Deno.test("the same over real sockets", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  await using hub = await startHub(runtime, "127.0.0.1:0");
  const { messaging, http } = joinMessaging({ runtime, secret: secretOf(11), url: hub.url, servers: [hub.server] });
  await messaging.ready;
  const answer = await http.fetch(new Request(`${hub.url}/dmsg-discovery/entries`));
  assert.ok((await answer.json()).includes(messaging.publicKey));
  await messaging[Symbol.asyncDispose]();
});
