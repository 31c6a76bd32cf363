/** The same network once over real sockets: a server and two clients in this process, on loopback. */

import assert from "node:assert/strict";
import { createMessagingClient, createMessagingServer } from "../../lib/messaging/mod.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";
import { assertEchoes, echo } from "./world.ts";

Deno.test("20 MB go through a server on loopback and come back, both directions at once", async () => {
  const runtime = createDenoRuntime({ logLevel: "off" });
  const discovery = new FakeDirectory();
  await using server = await createMessagingServer({ runtime, secret: secretOf(1), listen: "127.0.0.1:0", discovery });
  await using alice = createMessagingClient({ runtime, secret: secretOf(11), discovery });
  await using bob = createMessagingClient({ runtime, secret: secretOf(12), discovery });
  await Promise.all([server.ready, alice.ready, bob.ready]);
  echo(bob.listen(7));
  echo(alice.listen(7));
  const [there, back] = await Promise.all([alice.dial(bob.publicKey, 7), bob.dial(alice.publicKey, 7)]);
  await Promise.all([
    assertEchoes(there, { runtime, length: 20_000_000 }),
    assertEchoes(back, { runtime, length: 2_000_000 }),
  ]);
  there.close();
  back.close();
  assert.equal(server.stats.sessions, 2);
});
