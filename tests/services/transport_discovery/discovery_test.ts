import assert from "node:assert/strict";
import { RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  createTransportFeedClient,
  type FeedEvent,
  type TransportDiscovery,
  type TransportDiscoveryClient,
} from "../../../lib/services/transport_discovery/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { NULL_SIGNATURE, type Signature } from "../../../lib/types/mod.ts";
import type { SignedEntry } from "../../../lib/wire/transport_entry.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { httpTo, makeWorld } from "../http/support.ts";
import { makeSigned, makeVisor, signBoth, type TestVisor } from "./support.ts";

const [A, B, C] = [makeVisor(1), makeVisor(2), makeVisor(3)];

async function makeDiscovery(): Promise<{
  discovery: TransportDiscovery;
  clientOf(visor: TestVisor): TransportDiscoveryClient;
}> {
  const { runtime } = makeWorld(0n);
  const discovery = await createTransportDiscovery({ runtime });
  const { http, timers } = makeWorld(0n, httpTo({ discovery })).runtime;
  return {
    discovery,
    clientOf: ({ secret }) => createTransportDiscoveryClient({ http, timers, url: "http://discovery", secret }),
  };
}

Deno.test("both edges may register a transport, one after the other, and it is found by both", async () => {
  const { clientOf } = await makeDiscovery();
  const [a, b] = [clientOf(A), clientOf(B)];
  const signed = makeSigned(A, B);
  await a.register([signed]);
  await b.register([signed]);
  assert.deepEqual(await a.byEdge(B.publicKey), [signed.entry]);
  assert.deepEqual(await b.byEdge(A.publicKey), [signed.entry]);
  assert.deepEqual(await b.byId(signed.entry.id), signed.entry);
  assert.deepEqual(await a.all(), [signed.entry]);
  assert.deepEqual(await a.byEdge(C.publicKey), []);
});

Deno.test("a transport is removed by an edge; doing it again is harmless; nobody else can", async () => {
  const { clientOf } = await makeDiscovery();
  const signed = makeSigned(A, B);
  await clientOf(A).register([signed]);
  await assert.rejects(clientOf(C).deregister(signed.entry.id), { code: "transport-discovery/refused" });
  await clientOf(B).deregister(signed.entry.id);
  await clientOf(A).deregister(signed.entry.id);
  assert.equal(await clientOf(A).byId(signed.entry.id), undefined);
});

const TO_ONESELF = signBoth({ ...makeSigned(A, A).entry }, [A]);

/** Registrations by A that must be refused. */
const FALSE_ENTRIES: Readonly<Record<string, SignedEntry>> = {
  "whose second edge did not sign": signBoth(makeSigned(A, B).entry, [A]),
  "whose first edge did not sign": signBoth(makeSigned(A, B).entry, [B]),
  "whose signatures are swapped": {
    ...makeSigned(A, B),
    signatures: makeSigned(A, B).signatures.toReversed() as unknown as [Signature, Signature],
  },
  "whose id belongs to another type": signBoth({ ...makeSigned(A, B).entry, kind: "stcpr" }, [A, B]),
  "whose edges are out of order": signBoth({
    ...makeSigned(A, B).entry,
    edges: [...makeSigned(A, B).entry.edges].reverse() as unknown as SignedEntry["entry"]["edges"],
  }, [A, B]),
  "of two others": makeSigned(B, C),
  "without a type": makeSigned(A, B, { kind: "" }),
  "with a label without end": makeSigned(A, B, { label: "x".repeat(300) }),
  "to oneself, signed by somebody else in the second slot": {
    ...TO_ONESELF,
    signatures: [TO_ONESELF.signatures[0], makeSigned(A, B).signatures[1]],
  },
  "to oneself, not signed": { ...TO_ONESELF, signatures: [NULL_SIGNATURE, NULL_SIGNATURE] },
};

for (const [what, signed] of Object.entries(FALSE_ENTRIES)) {
  Deno.test(`a transport ${what} is refused, and so are those that came with it`, async () => {
    const { clientOf } = await makeDiscovery();
    const client = clientOf(A);
    await assert.rejects(client.register([makeSigned(A, C), signed]), (error) => error instanceof RefusedError);
    assert.deepEqual(await client.all(), []);
  });
}

Deno.test("a transport to oneself is signed once", async () => {
  const { clientOf } = await makeDiscovery();
  await clientOf(A).register([TO_ONESELF]);
  assert.deepEqual(await clientOf(A).all(), [TO_ONESELF.entry]);
});

Deno.test("the client takes what v1.3 answers to a second registration as success", async () => {
  const answers = [
    new Response("conflict", { status: 409 }),
    new Response('{"error":"ERROR: duplicate key value violates unique constraint"}\n', { status: 500 }),
    new Response('{"error":"disk"}\n', { status: 500 }),
  ];
  const { runtime } = makeWorld(
    0n,
    (request) =>
      Promise.resolve(
        request.url.includes("/security/") ? Response.json({ next_nonce: 0 }) : answers.shift() as Response,
      ),
  );
  const client = createTransportDiscoveryClient({ ...runtime, url: "http://discovery", secret: A.secret });
  await client.register([makeSigned(A, B)]);
  await client.register([makeSigned(A, B)]);
  await assert.rejects(client.register([makeSigned(A, B)]), { code: "transport-discovery/failed" });
});

Deno.test("followers hear of registrations and removals, over HTTP as in process", async () => {
  const { discovery, clientOf } = await makeDiscovery();
  const { http, timers } = makeWorld(0n, httpTo({ discovery })).runtime;
  const remote = createTransportFeedClient({ http, timers, url: "http://discovery" });
  const signed = makeSigned(A, B);
  await clientOf(A).register([signed]);
  const leaving = new AbortController();
  for (const feed of [discovery.feed, remote]) {
    const events = feed.follow({ signal: leaving.signal })[Symbol.asyncIterator]();
    const next = async (): Promise<FeedEvent> => (await events.next()).value;
    const snapshot = await next();
    assert.ok(snapshot.type === "snapshot" && snapshot.isFirst && snapshot.isLast);
    assert.deepEqual(snapshot.entries, [signed.entry]);
    await clientOf(B).deregister(signed.entry.id);
    const removed = await next();
    assert.deepEqual(removed, { type: "changes", changes: [{ removed: signed.entry.id }], position: removed.position });
    await clientOf(B).register([signed]);
    const added = await next();
    assert.deepEqual(added, { type: "changes", changes: [{ added: signed.entry }], position: added.position });
    await clientOf(A).register([signed]);
    await events.return?.();

    const later = feed.follow({ after: snapshot.position, signal: leaving.signal })[Symbol.asyncIterator]();
    const missed = (await later.next()).value as FeedEvent;
    assert.equal(missed.type === "changes" && missed.changes.length, 2);
    await later.return?.();
  }
  leaving.abort();
});

const FIRST = new TextEncoder().encode(
  'id: 0123456789abcdef-0\nevent: snapshot\ndata: {"first":true,"last":true,"transports":[]}\n\n',
);

Deno.test("a follower finds out when the discovery falls silent", async () => {
  const world = makeWorld(
    0n,
    () => Promise.resolve(new Response(new ReadableStream({ start: (c) => c.enqueue(FIRST) }))),
  );
  const feed = createTransportFeedClient({ ...world.runtime, url: "http://discovery" });
  const events = feed.follow({ signal: new AbortController().signal })[Symbol.asyncIterator]();
  assert.equal((await events.next()).value?.type, "snapshot");
  const waiting = events.next();
  await new Promise((resolve) => setTimeout(resolve, 0));
  world.fireTimers();
  await assert.rejects(waiting, { code: "transport-discovery/feed-silent" });
  assert.equal(world.timerCount, 0);
});

simulationTest("a follower finds out when the discovery closes, or speaks v1.3 only", async (sim) => {
  const [runtime, follower] = [sim.runtimeFor("discovery"), sim.runtimeFor("finder")];
  const discovery = await createTransportDiscovery({ runtime });
  const server = await runtime.http.serve("discovery:80", (request, context) => discovery.fetch(request, context));
  const feed = createTransportFeedClient({ ...follower, url: "http://discovery" });
  const leaving = new AbortController();
  const start = async (): Promise<AsyncIterator<FeedEvent>> => {
    const events = feed.follow({ signal: leaving.signal })[Symbol.asyncIterator]();
    assert.equal((await sim.run(events.next())).value?.type, "snapshot");
    return events;
  };

  const cut = (await start()).next();
  cut.catch(() => {});
  await sim.run(600_000);
  await discovery.close();
  await assert.rejects(sim.run(cut), (error) => error instanceof UnavailableError);
  await sim.run(server.close());

  const signed = makeSigned(A, B);
  let answer = "null\n";
  const old = await runtime.http.serve(
    "discovery:80",
    (request) =>
      request.url.endsWith("/all-transports")
        ? new Response(answer)
        : new Response("404 page not found", { status: 404 }),
  );
  const polled = await start();
  const next = polled.next();
  await sim.run(60_000);
  answer = JSON.stringify([{ t_id: signed.entry.id, edges: signed.entry.edges, type: "stcp", label: "user" }]);
  const event = (await sim.run(next)).value as FeedEvent;
  assert.deepEqual(event, { type: "snapshot", isFirst: true, isLast: true, entries: [signed.entry] });
  leaving.abort();
  await sim.run(old.close());
});

Deno.test("the transport discovery serves curl, and its stream ends when it closes", async () => {
  using runtime = createDenoRuntime({ logSink: () => {} });
  const discovery = await createTransportDiscovery({ runtime });
  const server = await runtime.http.serve("127.0.0.1:0", (request, context) => discovery.fetch(request, context));
  const curl = (...args: string[]): Deno.ChildProcess =>
    new Deno.Command("curl", { args: ["-sN", "--noproxy", "*", ...args], stdout: "piped" }).spawn();
  try {
    const client = createTransportDiscoveryClient({ ...runtime, url: server.url, secret: A.secret });
    const stream = curl(`${server.url}/changes`);
    const text = stream.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    let seen = "";
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(seen)) seen += (await text.next()).value ?? assert.fail(`the stream ended: ${seen}`);
    };
    await until(/event: snapshot\n/);
    await client.register([makeSigned(A, B)]);
    await until(/event: changes\ndata: \[\{"added":\{"t_id":"[^]*\n\n/);
    const { stdout } = await curl(`${server.url}/all-transports`).output();
    assert.equal(JSON.parse(new TextDecoder().decode(stdout)).length, 1);
    await discovery.close();
    assert.equal((await stream.status).code, 0);
    await text.return?.();
  } finally {
    await server.close();
    await discovery.close();
  }
});
