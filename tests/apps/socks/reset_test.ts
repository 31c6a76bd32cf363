/** A transfer that is cut by a reset does not look complete through the proxy, in either direction. Real sockets. */

import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { createSocksClient, createSocksServer } from "../../../lib/apps/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { parseAddress } from "../../../lib/runtime/mod.ts";
import { ALICE, BOB, createTestOverlay, runApp } from "../support.ts";

/** How a connection ended: with a FIN, or with an error such as `ECONNRESET`. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("end", () => resolve("end")).once(
      "error",
      (error: Error & { code?: string }) => resolve(`${error.code}`),
    );
    socket.resume();
  });
}

/** A program behind the proxy, and the destination that it reached. */
interface Reached extends AsyncDisposable {
  readonly program: Socket;
  readonly destination: Socket;
}

async function reach(): Promise<Reached> {
  const stack = new AsyncDisposableStack();
  const runtime = stack.use(createDenoRuntime({ logLevel: "off" }));
  const overlay = stack.use(await createTestOverlay(runtime));
  const bob = { runtime, network: overlay.networkOf(BOB), destinations: ["127.0.0.0/8"] };
  stack.use(await runApp(createSocksServer(bob)));
  const alice = { runtime, network: overlay.networkOf(ALICE), remote: BOB, listen: "127.0.0.1:0", name: "proxy" };
  const client = createSocksClient(alice);
  stack.use(await runApp(client));

  const accepted = Promise.withResolvers<Socket>();
  const server = createServer(accepted.resolve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as { port: number };

  const program = connect(parseAddress(client.address ?? "") ?? { host: "", port: 0 });
  const answer = (): Promise<Uint8Array> => new Promise((resolve) => program.once("data", resolve));
  program.write(new Uint8Array([5, 1, 0]));
  assert.deepEqual([...await answer()], [5, 0]);
  program.write(new Uint8Array([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255]));
  assert.equal((await answer())[1], 0, "the request was granted");
  const destination = await accepted.promise;
  for (const socket of [program, destination]) stack.defer(() => void socket.destroy());
  return { program, destination, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("a destination that resets its connection resets that of the program", async () => {
  await using reached = await reach();
  const end = endOf(reached.program);
  reached.destination.on("error", () => {});
  reached.destination.write("half of it", () => reached.destination.resetAndDestroy());
  assert.equal(await end, "ECONNRESET");
});

Deno.test("a program that resets its connection resets that with the destination", async () => {
  await using reached = await reach();
  const end = endOf(reached.destination);
  reached.program.on("error", () => {});
  reached.program.write("half of it", () => reached.program.resetAndDestroy());
  assert.equal(await end, "ECONNRESET");
});

Deno.test("an end stays an end, both ways", async () => {
  await using reached = await reach();
  const ends = [endOf(reached.destination), endOf(reached.program)];
  reached.program.end("all of it");
  assert.equal(await ends[0], "end");
  reached.destination.end("and the answer");
  assert.equal(await ends[1], "end");
});
