/** HTTP at public keys: our client with our server, and each with the bytes of a v1.3 peer. */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import {
  createMessagingFetch,
  type MessagingClient,
  type MessagingHttpServer,
  type MessagingStream,
  overlayAddressOf,
  serveHttp,
} from "../../lib/messaging/mod.ts";
import type { Http, HttpHandler } from "../../lib/runtime/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { MessagingWorld } from "./world.ts";

const ELSEWHERE: Pick<Http, "fetch"> = { fetch: () => Promise.resolve(new Response("from elsewhere")) };

interface HttpWorld {
  readonly sim: Simulation;
  readonly alice: MessagingClient;
  readonly bob: MessagingClient;
  /** As Alice. */
  readonly fetch: Http["fetch"];
  /** Of Bob. */
  readonly server: MessagingHttpServer;
}

/** Runs a test in which Bob serves and Alice asks. */
function httpTest(name: string, parts: { handler: HttpHandler; test: (world: HttpWorld) => Promise<void> }): void {
  simulationTest(name, async (sim) => {
    await using world = new MessagingWorld(sim);
    await world.server("server");
    const [alice, bob] = await world.clients("alice", "bob");
    const { timers, log } = sim.runtimeFor("bob");
    const server = serveHttp({ messaging: bob, handler: parts.handler, timers, log });
    const fetch = createMessagingFetch({ messaging: alice, timers: sim.runtimeFor("alice").timers, http: ELSEWHERE });
    await parts.test({ sim, alice, bob, fetch, server });
    await sim.run(async () => await server[Symbol.asyncDispose]());
  });
}

async function readText(stream: MessagingStream): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

const echo: HttpHandler = async (request, { remote }) => {
  const { method, url, headers } = request;
  const seen = { method, url, remote, host: headers.get("host"), type: headers.get("content-type") };
  return new Response(JSON.stringify({ ...seen, body: await request.text() }), {
    status: 201,
    headers: { "x-a": "b" },
  });
};

httpTest("a request to a key arrives as it was sent, from the key of the client, and the answer comes back", {
  handler: echo,
  test: async ({ sim, alice, bob, fetch }) => {
    const url = `dmsg://${bob.publicKey}:80/path?query=1`;
    const headers = { "content-type": "text/x" };
    const response = await sim.run(fetch(new Request(url, { method: "POST", body: "grüße", headers })));
    const seen = JSON.parse(await sim.run(response.text()));
    assert.match(seen.remote, new RegExp(`^${alice.publicKey}:\\d+$`));
    assert.deepEqual([response.status, response.headers.get("x-a")], [201, "b"]);
    assert.deepEqual({ ...seen, remote: "" }, {
      method: "POST",
      url: `http://${bob.publicKey}.sky/path?query=1`,
      remote: "",
      host: `${bob.publicKey}:80`,
      type: "text/x",
      body: "grüße",
    });
    const typed = await sim.run(fetch(new Request(`http://${bob.publicKey}.sky/`)));
    assert.equal(JSON.parse(await sim.run(typed.text())).host, bob.publicKey);
    const other = await sim.run(fetch(new Request("http://example.org/")));
    assert.equal(await other.text(), "from elsewhere");
  },
});

httpTest("bodies of megabytes pass in both directions, as slowly as they are read", {
  handler: async (request) => new Response(await request.bytes()),
  test: async ({ sim, bob, fetch }) => {
    const body = sim.runtimeFor("alice").random.bytes(3_000_000);
    const response = await sim.run(fetch(new Request(`dmsg://${bob.publicKey}/`, { method: "PUT", body })));
    assert.deepEqual(await sim.run(response.bytes()), body);
  },
});

httpTest("answers without body are answers all the same", {
  handler: (request) =>
    new Response(request.method === "HEAD" ? "not sent" : null, { status: request.method === "GET" ? 204 : 200 }),
  test: async ({ sim, bob, fetch }) => {
    for (const [method, status] of [["GET", 204], ["HEAD", 200], ["DELETE", 200]] as const) {
      const response = await sim.run(fetch(new Request(`dmsg://${bob.publicKey}/`, { method })));
      assert.deepEqual([response.status, await sim.run(response.text())], [status, ""], method);
    }
  },
});

httpTest("the server answers the bytes of a v1.3 client, and then ends the stream", {
  handler: () => new Response("hello"),
  test: async ({ sim, alice, bob }) => {
    const ask = async (text: string): Promise<string> => {
      const stream = await alice.dial(bob.publicKey, 80);
      await stream.write(new TextEncoder().encode(text));
      return await readText(stream).finally(() => stream.close());
    };
    const host = `Host: ${bob.publicKey}:80\r\nUser-Agent: Go-http-client/1.1`;
    assert.equal(
      await sim.run(ask(`GET / HTTP/1.1\r\n${host}\r\n\r\n`)),
      "HTTP/1.1 200 \r\ncontent-type: text/plain;charset=UTF-8\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    );
    assert.match(await sim.run(ask("GET / HTTP/1.0\r\n\r\n")), /Connection: close\r\n\r\nhello$/);
    assert.match(await sim.run(ask("nonsense\r\n\r\n")), /^HTTP\/1.1 400 \r\n/);
    assert.match(
      await sim.run(ask("POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n")),
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200/,
    );
  },
});

httpTest("one client cannot take all places of a server", {
  handler: () => new Response("hello"),
  test: async ({ sim, alice, bob }) => {
    const silent: MessagingStream[] = [];
    for (let i = 0; i < 64; i++) silent.push(await sim.run(alice.dial(bob.publicKey, 80)));
    await sim.run(100);
    const refused = await sim.run(alice.dial(bob.publicKey, 80));
    assert.match(await sim.run(readText(refused), 1_000), /^HTTP\/1.1 503 /);
    refused.close();
    for (const stream of silent) stream.close();
    await sim.run(100);
    const asked = await sim.run(alice.dial(bob.publicKey, 80));
    await sim.run(asked.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n")));
    assert.match(await sim.run(readText(asked)), /hello$/);
    asked.close();
  },
});

httpTest("a body of many parts that are there has a length, one that comes bit by bit is not waited for", {
  handler: (request) => {
    const isStream = request.url.endsWith("/stream");
    return new Response(
      new ReadableStream({
        start(controller): void {
          for (const part of ["a", "bc", "d"]) controller.enqueue(new TextEncoder().encode(part));
          if (!isStream) controller.close();
        },
      }),
    );
  },
  test: async ({ sim, bob, fetch }) => {
    const whole = await sim.run(fetch(new Request(`dmsg://${bob.publicKey}/`)));
    assert.deepEqual([whole.headers.get("content-length"), await sim.run(whole.text())], ["4", "abcd"]);
    const endless = await sim.run(fetch(new Request(`dmsg://${bob.publicKey}/stream`)), 1_000);
    assert.equal(endless.headers.get("content-length"), null);
    const reader = (endless.body ?? assert.fail()).getReader();
    let text = "";
    while (text.length < 4) text += new TextDecoder().decode((await sim.run(reader.read(), 1_000)).value);
    assert.equal(text, "abcd");
    await sim.run(reader.cancel());
  },
});

simulationTest("the client reads what a v1.3 server sends, which leaves the stream open", async (sim) => {
  await using world = new MessagingWorld(sim);
  await world.server("server");
  const [alice, bob] = await world.clients("alice", "bob");
  const fetch = createMessagingFetch({ messaging: alice, timers: sim.runtimeFor("alice").timers, http: ELSEWHERE });
  const answers = [
    "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\nContent-Type: application/json\r\n\r\nhello",
    "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut",
    "HTTP/1.1 two hundred\r\n\r\n",
  ];
  const requests: string[] = [];
  const streams: MessagingStream[] = [];
  (async (): Promise<void> => {
    for await (const stream of bob.listen(80)) {
      const buffer = new Uint8Array(4_096);
      requests.push(new TextDecoder().decode(buffer.subarray(0, await stream.read(buffer) ?? 0)));
      const text = answers.shift()!;
      await stream.write(new TextEncoder().encode(text));
      if (text.endsWith("cut")) stream.close();
      streams.push(stream);
    }
  })();
  const ask = async (): Promise<string> => {
    const response = await fetch(new Request(`dmsg://${bob.publicKey}:80/x`));
    return `${response.status} ${response.statusText} ${await response.text()}`;
  };
  assert.equal(await sim.run(ask()), "200 OK hello");
  assert.equal(requests[0], `GET /x HTTP/1.1\r\nHost: ${bob.publicKey}:80\r\n\r\n`);
  assert.equal(await sim.run(ask()), "404 Not Found no");
  await assert.rejects(sim.run(ask()), { code: "http/cut" });
  await assert.rejects(
    sim.run(ask()),
    (error: Error) => hasCode(error, "http/unreachable") && hasCode(error.cause, "http1/start-line"),
  );
  for (const stream of streams) stream.close();
});

httpTest("a client that says nothing is left after 10 s, and a key that nobody has is unreachable", {
  handler: echo,
  test: async ({ sim, alice, bob, fetch }) => {
    const stream = await sim.run(alice.dial(bob.publicKey, 80));
    const ended = sim.run(stream.read(new Uint8Array(1)));
    const before = sim.nowMs;
    assert.equal(await ended, null);
    assert.ok(sim.nowMs - before <= 10_100, String(sim.nowMs - before));
    stream.close();
    const nobody = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
    await assert.rejects(
      sim.run(fetch(new Request(`dmsg://${nobody}/`))),
      (error: Error) => hasCode(error, "http/unreachable") && hasCode(error.cause, "messaging/unknown-peer"),
    );
    await assert.rejects(sim.run(fetch(new Request("dmsg://nonsense/"))), { code: "http/unreachable" });
    const leaving = new AbortController();
    const given = fetch(new Request(`dmsg://${bob.publicKey}:81/`, { signal: leaving.signal }));
    leaving.abort(new Error("left"));
    await assert.rejects(sim.run(given), /left/);
  },
});

const gone = Promise.withResolvers<void>();

const left = Promise.withResolvers<void>();
httpTest("a handler learns that its client has left, and a stream of events ends with it", {
  handler: (request) => {
    request.signal.addEventListener("abort", () => left.resolve(), { once: true });
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new TextEncoder().encode("event"));
        return new Promise(() => {});
      },
      cancel: () => gone.resolve(),
    }, { highWaterMark: 0 });
    return new Response(body);
  },
  test: async ({ sim, bob, fetch }) => {
    const response = await sim.run(fetch(new Request(`dmsg://${bob.publicKey}/`)));
    const reader = response.body!.getReader();
    assert.equal(new TextDecoder().decode((await sim.run(reader.read())).value), "event");
    await reader.cancel();
    await sim.run(Promise.all([left.promise, gone.promise]));
  },
});

httpTest("a server that closes lets running requests end, and waits no longer than 2 s", {
  handler: () => new Promise(() => {}),
  test: async ({ sim, bob, fetch, server }) => {
    const hanging = fetch(new Request(`dmsg://${bob.publicKey}/`));
    hanging.catch(() => {});
    await sim.run(1_000);
    const before = sim.nowMs;
    await sim.run(async () => await server[Symbol.asyncDispose]());
    assert.ok(sim.nowMs - before >= 1_900 && sim.nowMs - before < 2_500, String(sim.nowMs - before));
    await assert.rejects(sim.run(hanging), { code: "http/unreachable" });
  },
});

Deno.test("overlayAddressOf() reads keys from both kinds of URL, and no other", () => {
  const key = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
  const read = (url: string): unknown => overlayAddressOf(new URL(url));
  assert.deepEqual(read(`dmsg://${key}`), { publicKey: key, port: 80 });
  assert.deepEqual(read(`dmsg://${key}:0/x`), { publicKey: key, port: 80 });
  assert.deepEqual(read(`dmsg://${key}:8080/x`), { publicKey: key, port: 8080 });
  assert.deepEqual(read(`dmsg://${key.toUpperCase()}/x`), { publicKey: key, port: 80 });
  assert.deepEqual(read(`http://${key}.sky/x`), { publicKey: key, port: 80 });
  assert.deepEqual(read(`http://${key}.sky:81/x`), { publicKey: key, port: 81 });
  for (const none of [`http://${key}/`, "http://example.org/", "dmsg://x/", "http://x.sky/", `ftp://${key}.sky/`]) {
    assert.equal(read(none), undefined, none);
  }
});
