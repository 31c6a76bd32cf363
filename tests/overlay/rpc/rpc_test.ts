import assert from "node:assert/strict";
import { ClosedError, ProtocolError, RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import { gobBytes, GobEncoder, gobString, gobUint } from "../../../lib/wire/gob/mod.ts";
import { gobRpcRequest, gobRpcResponse } from "../../../lib/wire/rpc_messages.ts";
import { MAX_CONCURRENT_CALLS, RpcClient, rpcHandler, type RpcMethod, serveRpc } from "../../../lib/overlay/rpc/mod.ts";
import { linkPair } from "../../fakes/link_pair.ts";

const ECHO: RpcMethod<string, string> = { name: "Test.Echo", argument: gobString, reply: gobString };
const HALVE: RpcMethod<number, number> = { name: "Test.Halve", argument: gobUint(32), reply: gobUint(32) };
const NOWHERE: RpcMethod<string, string> = { ...ECHO, name: "Other.Echo" };

Deno.test("RpcClient and serveRpc() carry many calls at once, and replies in any order", async () => {
  const [a, b] = linkPair();
  const gates = new Map<string, () => void>();
  const served = serveRpc(b, {
    handlers: [
      rpcHandler(ECHO, async (text) => {
        await new Promise<void>((resolve) => gates.set(text, resolve));
        return `${text}!`;
      }),
      rpcHandler(HALVE, (value) => value >> 1),
    ],
  });
  const client = new RpcClient(a);
  const order: string[] = [];
  const calls = ["one", "two", "three"].map(async (text) => {
    assert.equal(await client.call(ECHO, text), `${text}!`);
    order.push(text);
  });
  assert.equal(await client.call(HALVE, 84), 42);
  for (const text of ["three", "one", "two"]) {
    gates.get(text)?.();
    while (!order.includes(text)) await Promise.resolve();
  }
  await Promise.all(calls);
  assert.deepEqual(order, ["three", "one", "two"]);
  client.close();
  await served;
});

Deno.test("a call fails with the words of the other side, and the next one works", async () => {
  const [a, b] = linkPair();
  const served = serveRpc(b, {
    handlers: [rpcHandler(HALVE, (value) => {
      if (value === 1) throw new RefusedError("test/odd", "An odd number");
      if (value === 3) throw new TypeError("a detail that is nobody's business");
      return value / 2;
    })],
  });
  using client = new RpcClient(a);
  const messageOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(() => assert.fail("It must fail"), (error) => (error as RefusedError).details.message);
  assert.equal(await messageOf(client.call(HALVE, 1)), "An odd number");
  assert.equal(await messageOf(client.call(HALVE, 3)), "internal error");
  assert.equal(await messageOf(client.call(NOWHERE, "")), "rpc: can't find service Other.Echo");
  assert.equal(await messageOf(client.call(ECHO, "")), "rpc: can't find method Test.Echo");
  assert.equal(
    await messageOf(client.call({ ...HALVE, argument: gobString as unknown as typeof HALVE.argument }, "x" as never)),
    "gob: decoding into local type *uint32, received remote type string",
  );
  assert.equal(await client.call(HALVE, 2), 1);
  client.close();
  await served;
});

Deno.test("a call that is given up leaves the client usable, and its late reply is ignored", async () => {
  const [a, b] = linkPair();
  let finish = (): void => {};
  const served = serveRpc(b, {
    handlers: [
      rpcHandler(ECHO, (text) => new Promise<string>((resolve) => finish = () => resolve(text))),
      rpcHandler(HALVE, (value) => value / 2),
    ],
  });
  const client = new RpcClient(a);
  const controller = new AbortController();
  const given = client.call(ECHO, "late", { signal: controller.signal });
  assert.equal(await client.call(HALVE, 2), 1);
  controller.abort(new Error("enough"));
  await assert.rejects(given, /enough/);
  finish();
  assert.equal(await client.call(HALVE, 4), 2);
  await assert.rejects(client.call(HALVE, 4, { signal: controller.signal }), /enough/);
  client.close();
  await served;
});

Deno.test("calls fail when the link ends, and at once afterwards", async () => {
  const [a, b] = linkPair();
  const client = new RpcClient(a);
  const waiting = client.call(ECHO, "");
  b.close();
  await assert.rejects(waiting, UnavailableError);
  await assert.rejects(client.call(ECHO, ""), UnavailableError);
  assert.ok(client.isClosed);
  const [c] = linkPair();
  const closed = new RpcClient(c);
  const other = closed.call(ECHO, "");
  closed.close();
  await assert.rejects(other, ClosedError);
});

Deno.test("the client ends the link when it reads no reply header there", async () => {
  const [a, b] = linkPair();
  const client = new RpcClient(a);
  const waiting = client.call(ECHO, "");
  await b.write(new GobEncoder().encode(gobUint(8), 5));
  await assert.rejects(waiting, (error) => error instanceof ProtocolError && error.code === "rpc/header");
});

Deno.test("a reply of the wrong type fails its call alone", async () => {
  const [a, b] = linkPair();
  using client = new RpcClient(a);
  const encoder = new GobEncoder();
  const [first, second] = [client.call(ECHO, ""), client.call(ECHO, "")];
  await b.write(encoder.encode(gobRpcResponse, { ServiceMethod: "Test.Echo", Seq: 0n, Error: "" }));
  await b.write(encoder.encode(gobUint(8), 5));
  await assert.rejects(first, (error) => error instanceof ProtocolError && error.code === "rpc/reply");
  await b.write(encoder.encode(gobRpcResponse, { ServiceMethod: "Test.Echo", Seq: 1n, Error: "" }));
  await b.write(encoder.encode(gobString, "fine"));
  assert.equal(await second, "fine");
});

Deno.test("serveRpc() finishes what runs when the requests end, and reads no more than it runs at once", async () => {
  const [a, b] = linkPair();
  const encoder = new GobEncoder();
  const open: (() => void)[] = [];
  let most = 0;
  const served = serveRpc(b, {
    handlers: [rpcHandler(ECHO, async (text) => {
      await new Promise<void>((resolve) => most = Math.max(most, open.push(resolve)));
      return text;
    })],
  });
  for (let i = 0; i < 2 * MAX_CONCURRENT_CALLS; i++) {
    await a.write(encoder.encode(gobRpcRequest, { ServiceMethod: "Test.Echo", Seq: BigInt(i) }));
    await a.write(encoder.encode(gobString, "x"));
  }
  while (open.length < MAX_CONCURRENT_CALLS) await Promise.resolve();
  for (let i = 0; i < 1000; i++) await Promise.resolve();
  assert.equal(most, MAX_CONCURRENT_CALLS);
  a.close();
  for (let done = 0; done < 2 * MAX_CONCURRENT_CALLS; done++) {
    while (open.length === 0) await Promise.resolve();
    open.shift()?.();
  }
  await served;
});

Deno.test("serveRpc() tells a call that its caller has gone, though it takes no other one meanwhile", async () => {
  const [a, b] = linkPair();
  const begun = Promise.withResolvers<void>();
  const served = serveRpc(b, {
    maxConcurrentCalls: 1,
    handlers: [rpcHandler(ECHO, async (text, signal) => {
      begun.resolve();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      return text;
    })],
  });
  const client = new RpcClient(a);
  const call = client.call(ECHO, "for ever");
  await begun.promise;
  client.close();
  await assert.rejects(call, ClosedError);
  await served;
});

Deno.test("serveRpc() closes the link on what is no request, on a message beyond the limit, and on its signal", async () => {
  for (
    const bytes of [new GobEncoder().encode(gobUint(8), 1), new GobEncoder().encode(gobBytes, new Uint8Array(500))]
  ) {
    const [a, b] = linkPair();
    const served = serveRpc(b, { handlers: [], limits: { maxMessageBytes: 100 } });
    await a.write(bytes);
    await served;
    assert.equal(await a.read(new Uint8Array(1)), null);
  }
  const [a, b] = linkPair();
  const controller = new AbortController();
  let told = false;
  const served = serveRpc(b, {
    signal: controller.signal,
    handlers: [rpcHandler(ECHO, (_text, signal) =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error(`${told = true}`)));
      }))],
  });
  using client = new RpcClient(a);
  const waiting = client.call(ECHO, "");
  for (let i = 0; i < 100; i++) await Promise.resolve();
  controller.abort();
  await served;
  await assert.rejects(waiting, UnavailableError);
  assert.ok(told);
});
