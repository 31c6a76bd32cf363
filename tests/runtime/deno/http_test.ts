/** HTTP over real sockets. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoHttp } from "../../../lib/runtime/deno/http.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";

Deno.test("serve() answers fetch(), tells the client's address, and stops", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const server = await runtime.http.serve("127.0.0.1:0", async (request, { remote }) => {
    return new Response(`${request.method} ${await request.text()} ${/^127\.0\.0\.1:\d+$/.test(remote)}`);
  });
  assert.equal(server.url, `http://${server.address}`);
  const response = await runtime.http.fetch(new Request(`${server.url}/x`, { method: "POST", body: "hello" }));
  assert.equal(await response.text(), "POST hello true");
  await server.close();
  await server.close();
  await assert.rejects(runtime.http.fetch(new Request(server.url)), (e) => hasCode(e, "http/unreachable"));
});

Deno.test("a handler that throws gives an empty 500", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const server = await runtime.http.serve("127.0.0.1:0", () => {
    throw new Error("secret cause");
  });
  const response = await runtime.http.fetch(new Request(server.url));
  assert.equal(response.status, 500);
  assert.equal(await response.text(), "");
  await server.close();
});

Deno.test("serve() tells a taken port", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const server = await runtime.http.serve("127.0.0.1:0", () => new Response());
  await assert.rejects(
    runtime.http.serve(server.address, () => new Response()),
    (e) => hasCode(e, "network/address-in-use"),
  );
  await server.close();
});

Deno.test("fetch() ends with the reason of the request's signal", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const { promise, resolve } = Promise.withResolvers<Response>();
  const controller = new AbortController();
  const server = await runtime.http.serve("127.0.0.1:0", () => {
    controller.abort(new Error("not needed"));
    return promise;
  });
  await assert.rejects(runtime.http.fetch(new Request(server.url, { signal: controller.signal })), /not needed/);
  resolve(new Response());
  await server.close();
});

Deno.test("close() lets the request that is under way be answered to the end, and takes no other", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const entered = Promise.withResolvers<void>();
  // More than the buffers between the server and a client that does not read yet.
  const length = 10_000_000;
  const server = await runtime.http.serve("127.0.0.1:0", async (request) => {
    entered.resolve();
    return new Response((await request.text()).repeat(length));
  });
  const body = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const fetching = runtime.http.fetch(new Request(server.url, { method: "POST", body: body.readable }));
  await entered.promise;
  const closing = server.close();
  const other = await runtime.http.fetch(new Request(server.url));
  await other.body?.cancel();
  assert.equal(other.status, 503);
  const writer = body.writable.getWriter();
  await writer.write(new TextEncoder().encode("x"));
  await writer.close();
  assert.equal((await (await fetching).text()).length, length);
  await closing;
});

Deno.test("close() does not wait for ever for a handler that hangs", async () => {
  const { timers } = createDenoRuntime({ logLevel: "off" });
  using http = createDenoHttp({ timers: { after: (ms, callback) => timers.after(ms / 1_000, callback) } });
  const entered = Promise.withResolvers<void>();
  const hanging = Promise.withResolvers<Response>();
  const server = await http.serve("127.0.0.1:0", () => {
    entered.resolve();
    return hanging.promise;
  });
  const fetching = http.fetch(new Request(server.url));
  await entered.promise;
  await Promise.all([
    server.close(),
    assert.rejects(fetching, (e) => hasCode(e, "http/unreachable")),
  ]);
  hanging.resolve(new Response());
});

Deno.test("fetch() does not go through the proxies of the environment", async () => {
  const saved = Deno.env.get("HTTP_PROXY");
  Deno.env.set("HTTP_PROXY", "http://127.0.0.1:1");
  try {
    using runtime = createDenoRuntime({ logLevel: "off" });
    const server = await runtime.http.serve("127.0.0.1:0", () => new Response("direct"));
    assert.equal(await (await runtime.http.fetch(new Request(server.url))).text(), "direct");
    assert.equal(Deno.env.get("HTTP_PROXY"), "http://127.0.0.1:1");
    await server.close();
  } finally {
    if (saved === undefined) Deno.env.delete("HTTP_PROXY");
    else Deno.env.set("HTTP_PROXY", saved);
  }
});
