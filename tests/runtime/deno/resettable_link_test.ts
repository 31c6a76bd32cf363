/** TCP links that can be reset, over real sockets. */

import assert from "node:assert/strict";
import { ClosedError, hasCode, UnavailableError } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { carriesBytes } from "./link_cases.ts";
import type { ByteLink } from "../../../lib/runtime/mod.ts";

async function withPair(test: (a: ByteLink, b: ByteLink) => Promise<void>): Promise<void> {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const listener = await runtime.network.listen("127.0.0.1:0", { canReset: true });
  const accepting = listener[Symbol.asyncIterator]().next();
  const a = await runtime.network.dial(listener.address, { canReset: true });
  const { value: b } = await accepting;
  try {
    await test(a, b);
  } finally {
    for (const one of [a, b, listener]) one.close();
  }
}

Deno.test("a link carries bytes both ways, and a large write arrives whole", () => withPair(carriesBytes));

Deno.test("a reader that does not read holds the writer up", () =>
  withPair(async (a) => {
    let isWritten = false;
    const writing = a.write(new Uint8Array(64 << 20)).then(() => isWritten = true, () => {});
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isWritten, false);
    a.close();
    await writing;
    assert.equal(isWritten, false);
  }));

Deno.test("read() gives null after the other side has closed, and after a local close", () =>
  withPair(async (a, b) => {
    await a.write(new Uint8Array([9]));
    a.close();
    const into = new Uint8Array(4);
    assert.equal(await b.read(into), 1);
    assert.equal(await b.read(into), null);
    const reading = b.read(into);
    b.close();
    b.close();
    assert.equal(await reading, null);
    await assert.rejects(b.write(into), ClosedError);
  }));

Deno.test("closeWrite() ends one direction and leaves the other open", () =>
  withPair(async (a, b) => {
    await a.write(Uint8Array.of(1));
    a.closeWrite?.();
    a.closeWrite?.();
    const into = new Uint8Array(8);
    assert.equal(await b.read(into), 1);
    assert.equal(await b.read(into), null);
    await b.write(Uint8Array.of(2, 3));
    assert.equal(await a.read(into), 2);
  }));

for (const side of ["the dialled", "the accepted"] as const) {
  Deno.test(`reset() of ${side} link breaks reads and writes of the other side`, () =>
    withPair(async (a, b) => {
      const [near, far] = side === "the dialled" ? [a, b] : [b, a];
      await near.write(new Uint8Array([9]));
      const into = new Uint8Array(4);
      assert.equal(await far.read(into), 1);
      const reading = near.read(new Uint8Array(4));
      near.reset?.();
      near.reset?.();
      assert.equal(await reading, null);
      await assert.rejects(far.read(into), (e) => e instanceof UnavailableError && hasCode(e, "network/link-broken"));
      await assert.rejects(far.write(into), (e) => hasCode(e, "network/link-broken"));
    }));
}

Deno.test("reset() reaches a socket of the platform as a break", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const link = await runtime.network.dial(`127.0.0.1:${listener.addr.port}`, { canReset: true });
  using socket = await accepting;
  link.reset?.();
  await assert.rejects(socket.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  listener.close();
});

Deno.test("dialling and listening fail as without reset", async () => {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const { network } = runtime;
  const listener = await network.listen("127.0.0.1:0", { canReset: true });
  await assert.rejects(
    network.listen(listener.address, { canReset: true }),
    (e) => hasCode(e, "network/address-in-use"),
  );
  listener.close();
  listener.close();
  await assert.rejects(network.dial(listener.address, { canReset: true }), (e) => hasCode(e, "network/dial-failed"));
  const signal = AbortSignal.abort(new Error("stop"));
  await assert.rejects(network.dial(listener.address, { canReset: true, signal }), /stop/);
});
