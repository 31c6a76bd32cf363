/** TCP links over real sockets. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ClosedError, hasCode, UnavailableError } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { carriesBytes } from "./link_cases.ts";
import type { ByteLink, LinkListener, Network } from "../../../lib/runtime/mod.ts";

async function connect(network: Network, listener: LinkListener): Promise<[ByteLink, ByteLink]> {
  const accepting = listener[Symbol.asyncIterator]().next();
  const dialled = await network.dial(listener.address);
  const accepted = await accepting;
  assert.ok(!accepted.done);
  return [dialled, accepted.value];
}

async function withPair(test: (a: ByteLink, b: ByteLink) => Promise<void>): Promise<void> {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const listener = await runtime.network.listen("127.0.0.1:0");
  const [a, b] = await connect(runtime.network, listener);
  try {
    await test(a, b);
  } finally {
    a.close();
    b.close();
    listener.close();
  }
}

Deno.test("a link carries bytes both ways, and a large write arrives whole", () => withPair(carriesBytes));

Deno.test("read() gives null after the other side has closed", () =>
  withPair(async (a, b) => {
    await a.write(new Uint8Array([9]));
    a.close();
    const into = new Uint8Array(4);
    assert.equal(await b.read(into), 1);
    assert.equal(await b.read(into), null);
  }));

Deno.test("close() ends a pending read with null, and write() then throws", () =>
  withPair(async (a) => {
    const reading = a.read(new Uint8Array(4));
    a.close();
    a.close();
    assert.equal(await reading, null);
    assert.equal(await a.read(new Uint8Array(4)), null);
    await assert.rejects(a.write(new Uint8Array(1)), ClosedError);
  }));

Deno.test("close() ends a pending write", () =>
  withPair(async (a) => {
    const writing = a.write(new Uint8Array(64 << 20));
    await a.write(new Uint8Array(0));
    a.close();
    await assert.rejects(writing, ClosedError);
  }));

Deno.test("write() reports a link that broke", () =>
  withPair(async (a, b) => {
    await a.write(new Uint8Array(10));
    b.close(); // unread data: the other side gets a reset
    await assert.rejects(async () => {
      while (true) await a.write(new Uint8Array(1 << 16));
    }, UnavailableError);
  }));

Deno.test("dial() to a closed port, a bad address, and with an aborted signal fails as promised", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const listener = await runtime.network.listen("127.0.0.1:0");
  listener.close();
  await assert.rejects(runtime.network.dial(listener.address), (e) => hasCode(e, "network/dial-failed"));
  await assert.rejects(runtime.network.dial("nonsense"), (e) => hasCode(e, "network/dial-failed"));
  const signal = AbortSignal.abort(new Error("no longer wanted"));
  await assert.rejects(runtime.network.dial("127.0.0.1:9", { signal }), /no longer wanted/);
});

Deno.test("listen() tells a taken port from a bad address", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const listener = await runtime.network.listen("127.0.0.1:0");
  await assert.rejects(runtime.network.listen(listener.address), (e) => hasCode(e, "network/address-in-use"));
  await assert.rejects(runtime.network.listen("nonsense"), (e) => hasCode(e, "network/listen-failed"));
  await assert.rejects(runtime.network.listen("192.0.2.1:0"), (e) => hasCode(e, "network/listen-failed"));
  listener.close();
});

Deno.test("iterating a listener ends when it is closed", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const listener = await runtime.network.listen("127.0.0.1:0");
  const iterating = (async () => {
    for await (const link of listener) link.close();
  })();
  (await runtime.network.dial(listener.address)).close();
  listener.close();
  await iterating;
});

Deno.test("IPv6 addresses are taken and given with brackets", async (t) => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  let listener: LinkListener;
  try {
    listener = await runtime.network.listen("[::1]:0");
  } catch {
    await t.step({ name: "no IPv6 on this machine", ignore: true, fn: () => {} });
    return;
  }
  assert.match(listener.address, /^\[::1\]:\d+$/);
  const [a, b] = await connect(runtime.network, listener);
  assert.match(b.remoteAddress, /^\[::1\]:\d+$/);
  a.close();
  b.close();
  listener.close();
});

Deno.test({
  name: "a listener survives that descriptors run out",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    const script = fileURLToPath(new URL("descriptor_limit.ts", import.meta.url));
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 96 && exec "$0" run -A "$1"', Deno.execPath(), script],
      stderr: "inherit",
    }).output();
    const { dialled, accepted } = JSON.parse(new TextDecoder().decode(stdout));
    // Each connection takes two descriptors of this process, but those that wait to be accepted.
    assert.ok(dialled > 20 && dialled < 96, `${dialled} connections with 96 descriptors`);
    assert.equal(accepted, true);
  },
});

Deno.test("closeWrite() ends one direction and leaves the other open", async () => {
  using runtime = createDenoRuntime();
  const listener = await runtime.network.listen("127.0.0.1:0");
  const [near, far] = await connect(runtime.network, listener);
  await near.write(Uint8Array.of(1));
  near.closeWrite?.();
  near.closeWrite?.();
  const into = new Uint8Array(8);
  assert.equal(await far.read(into), 1);
  assert.equal(await far.read(into), null);
  await far.write(Uint8Array.of(2, 3));
  assert.equal(await near.read(into), 2);
  for (const end of [near, far, listener]) end.close();
});

Deno.test("resolve() finds names of the hosts file and passes addresses through", async () => {
  using runtime = createDenoRuntime();
  assert.ok((await runtime.network.resolve("localhost")).some((address) => ["127.0.0.1", "::1"].includes(address)));
  assert.deepEqual(await runtime.network.resolve("192.0.2.7"), ["192.0.2.7"]);
  await assert.rejects(runtime.network.resolve("no-such-host.invalid"), (e) => hasCode(e, "network/unknown-host"));
  await assert.rejects(runtime.network.resolve("localhost", { signal: AbortSignal.abort(new Error("stop")) }), /stop/);
});

Deno.test("loopbackName() names this machine, always alike", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const name = await runtime.network.loopbackName?.();
  assert.ok(name !== undefined && name.length > 0);
  assert.equal(await runtime.network.loopbackName?.(), name);
});
