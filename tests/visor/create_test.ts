/** What an embedder's own tests run on: whole visors on a network in memory, whose faults are commands. */

import assert from "node:assert/strict";
import { createNetwork, createVisor } from "../../mod.ts";

const PORT = 8080;

Deno.test("createVisor({ network }) runs visors in memory, on a time that is driven and a network that fails when told", async () => {
  const network = createNetwork();
  const a = await network.run(createVisor({ network, data: "a" }));
  const b = await network.run(createVisor({ network, data: "b", join: a.ticket }));
  const listener = b.listen(PORT);
  const echo = (async () => {
    for await (const { readable, writable } of listener) void readable.pipeTo(writable).catch(() => {});
  })();
  const ask = async (text: string): Promise<string> => {
    await using link = await a.dial(b.publicKey, PORT);
    await link.write(new TextEncoder().encode(text));
    const into = new Uint8Array(100);
    return new TextDecoder().decode(into.subarray(0, await link.read(into) ?? 0));
  };
  assert.equal(await network.run(ask("hello")), "hello");

  network.kill("b", { silent: true });
  await assert.rejects(network.run(ask("anybody?")), { name: "UnavailableError" });
  network.revive("b");

  const { publicKey } = b;
  listener.close();
  await network.run(async () => await b[Symbol.asyncDispose]());
  const again = await network.run(createVisor({ network, data: "b" }));
  assert.equal(again.publicKey, publicKey, "the host kept its files");
  for (const visor of [again, a]) await network.run(async () => await visor[Symbol.asyncDispose]());
  await echo;
});
