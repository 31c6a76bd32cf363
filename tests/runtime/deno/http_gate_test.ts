/** What stands before an HTTP server, over real sockets: who comes in, and who has to go. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createDenoHttp } from "../../../lib/runtime/deno/http.ts";
import { createGateRoom, DEFAULT_HTTP_GATE_LIMITS, type HttpGateLimits } from "../../../lib/runtime/deno/http_gate.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { at } from "../../../lib/types/at.ts";
import type { ByteLink, HttpServer } from "../../../lib/runtime/mod.ts";

const HASTE = 1_000;

/** A server that answers with the client's address, and connections with it. */
async function withServer(
  { behindProxy = false, ...limits }: Partial<HttpGateLimits> & { readonly behindProxy?: boolean },
  test: (world: { server: HttpServer; dial: () => Promise<ByteLink> }) => Promise<void>,
): Promise<void> {
  using runtime = createDenoRuntime({ logLevel: "off" });
  const { network, timers } = runtime;
  const inHaste = { after: (ms: number, callback: () => void): () => void => timers.after(ms / HASTE, callback) };
  using http = createDenoHttp({ timers: inHaste, limits: { ...DEFAULT_HTTP_GATE_LIMITS, ...limits } });
  const server = await http.serve("127.0.0.1:0", (_, { remote, upgrade }) => {
    if (upgrade === undefined) return new Response(remote);
    const { response, socket } = upgrade("test");
    socket.then((socket) => socket.close(), () => {});
    return response;
  }, { behindProxy });
  const dialled: ByteLink[] = [];
  await test({
    server,
    async dial(): Promise<ByteLink> {
      const link = await network.dial(server.address);
      dialled.push(link);
      return link;
    },
  });
  for (const link of dialled) link.close();
  await server.close();
}

const write = (link: ByteLink, text: string): Promise<void> => link.write(new TextEncoder().encode(text));

/** What comes in one read; empty at the end, however it came. */
async function read(link: ByteLink): Promise<string> {
  const into = new Uint8Array(4_096);
  const count = await link.read(into).catch(() => null);
  return new TextDecoder().decode(into.subarray(0, count ?? 0));
}

async function ask(link: ByteLink): Promise<string> {
  await write(link, "GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  return await read(link);
}

const upgrade = (protocol: string): string =>
  "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`;

/** Reads to the end of a connection. */
async function readToEnd(link: ByteLink): Promise<string> {
  let text = "";
  for (let piece = await read(link); piece !== ""; piece = await read(link)) text += piece;
  return text;
}

const NEVER = Number.MAX_SAFE_INTEGER;

Deno.test("a head in pieces is a request, and the connection may ask again", async () => {
  await withServer({ headMs: NEVER, idleMs: NEVER }, async ({ dial }) => {
    const link = await dial();
    for (const piece of ["GET / HT", "TP/1.1\r\nHost: test\r\nLong: " + "x".repeat(5_000) + "\r\n\r", "\n"]) {
      await write(link, piece);
    }
    assert.match(await read(link), /^HTTP\/1.1 200 OK[^]*127\.0\.0\.1:\d+$/);
    assert.match(await ask(link), /^HTTP\/1.1 200 OK/);
  });
});

Deno.test("a head that does not come in time is told so", async () => {
  await withServer({ idleMs: NEVER }, async ({ dial }) => {
    const link = await dial();
    await write(link, "GET / HTTP/1.1\r\nHo");
    assert.match(await read(link), /^HTTP\/1.1 408 /);
    assert.equal(await read(link), "");
  });
});

Deno.test("a head without end is told so", async () => {
  await withServer({ headMs: NEVER, idleMs: NEVER }, async ({ dial }) => {
    const link = await dial();
    await write(link, "GET / HTTP/1.1\r\n" + "A: b\r\n".repeat(32_768 / 6));
    assert.match(await read(link), /^HTTP\/1.1 431 /);
  });
});

Deno.test("a request whose length can be read in two ways is refused, and what follows it is no request", async () => {
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";
  const begin = "POST / HTTP/1.1\r\nHost: test\r\n";
  const cases = [
    `${begin}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `${begin}Transfer-Encoding: chunked\r\nContent-Length: ${smuggled.length + 5}\r\n\r\n0\r\n\r\n${smuggled}`,
    `${begin}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd${smuggled}`,
    `${begin}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    `${begin}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `${begin}A: b\r\n c\r\n\r\n${smuggled}`,
  ];
  await withServer({ headMs: NEVER, idleMs: NEVER }, async ({ dial }) => {
    for (const text of cases) {
      const link = await dial();
      await write(link, text);
      assert.match(await readToEnd(link), /^HTTP\/1.1 400 (?![^]*HTTP\/1.1)/);
    }
  });
});

Deno.test("HTTP/2, which would bring any number of requests at once, is refused", async () => {
  await withServer({ headMs: NEVER, idleMs: NEVER }, async ({ dial }) => {
    const link = await dial();
    await write(link, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.match(await readToEnd(link), /^HTTP\/1.1 505 /);
  });
});

Deno.test("a connection that nobody uses ends", async () => {
  await withServer({ headMs: NEVER }, async ({ dial }) => {
    const link = await dial();
    assert.match(await ask(link), /^HTTP\/1.1 200 OK/);
    assert.equal(await read(link), "");
  });
});

for (const crowded of [{ connections: 3 }, { connectionsPerHost: 3 }]) {
  Deno.test(`with no more than ${JSON.stringify(crowded)}, whoever has waited longest goes`, async () => {
    await withServer({ headMs: NEVER, idleMs: NEVER, ...crowded }, async ({ dial }) => {
      const honest = await dial();
      assert.match(await ask(honest), /^HTTP\/1.1 200 OK/);
      const silent = await dial();
      await dial();
      assert.match(await ask(honest), /^HTTP\/1.1 200 OK/);
      assert.match(await ask(await dial()), /^HTTP\/1.1 200 OK/);
      assert.equal(await read(silent), "");
      assert.match(await ask(honest), /^HTTP\/1.1 200 OK/);
    });
  });
}

Deno.test("a WebSocket whose client never answers the Close is cut, and its place is free", async () => {
  await withServer({ headMs: NEVER, idleMs: NEVER }, async ({ dial }) => {
    const silent = await dial();
    await write(silent, upgrade("test"));
    // The head of the answer, the Close frame, and then the end, though nothing was sent for it.
    assert.match(await readToEnd(silent), /^HTTP\/1.1 101 [^]*\r\n\r\n\ufffd\0$/);
  });
});

Deno.test("a WebSocket whose client talks on instead of answering the Close is cut all the same", async () => {
  await withServer({ headMs: NEVER, idleMs: NEVER }, async ({ dial }) => {
    const chatty = await dial();
    await write(chatty, upgrade("test"));
    assert.match(await read(chatty), /^HTTP\/1.1 101 /);
    const talking = async (): Promise<never> => {
      while (true) await chatty.write(Uint8Array.of(0x89, 0x80, 0, 0, 0, 0));
    };
    await assert.rejects(talking(), { code: "network/link-broken" });
  });
});

Deno.test("WebSockets that are to end are counted: the one that waits longest goes", async () => {
  await withServer({ headMs: NEVER, idleMs: NEVER, endMs: NEVER, connectionsPerHost: 2 }, async ({ dial }) => {
    const sockets: ByteLink[] = [];
    while (sockets.length < 3) {
      const socket = await dial();
      sockets.push(socket);
      await write(socket, upgrade("test"));
      assert.match(await read(socket), /^HTTP\/1.1 101 /);
    }
    await readToEnd(at(sockets, 0));
  });
});

Deno.test("a request for a WebSocket of another kind stays a request, and ends like one", async () => {
  await withServer({ headMs: NEVER }, async ({ dial }) => {
    const link = await dial();
    await write(link, upgrade("other"));
    assert.match(await readToEnd(link), /^HTTP\/1.1 400 /);
  });
});

Deno.test("all gates of a process share half of its descriptors", () => {
  assert.equal(createGateRoom(1_024).most, 170);
  assert.equal(createGateRoom(1_048_576).most, 8_192);
  assert.equal(createGateRoom(undefined).most, 8_192);
});

Deno.test({
  name: "connections without end leave a server half of its descriptors",
  ignore: Deno.build.os !== "linux",
  async fn(): Promise<void> {
    const script = fileURLToPath(new URL("http_descriptor_room.ts", import.meta.url));
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `ulimit -n 400 && exec "$0" run -A "$1"`, Deno.execPath(), script],
    }).output();
    const { most } = JSON.parse(new TextDecoder().decode(stdout) || "{}");
    assert.ok(most < 300, `${most} of 400 descriptors: ${new TextDecoder().decode(stderr)}`);
  },
});

Deno.test({
  name: "a server survives that descriptors run out",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    const script = fileURLToPath(new URL("http_descriptor_limit.ts", import.meta.url));
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `ulimit -n 100 && exec "$0" run -A "$1"`, Deno.execPath(), script],
    }).output();
    const { failures, text } = JSON.parse(new TextDecoder().decode(stdout) || "{}");
    assert.ok(failures > 0, new TextDecoder().decode(stderr));
    assert.equal(text, "still here");
  },
});

Deno.test("behind a proxy no bound on one host's connections holds", async () => {
  await withServer({ connectionsPerHost: 1, behindProxy: true }, async ({ dial }) => {
    const links = [await dial(), await dial(), await dial()];
    for (const link of links) assert.match(await ask(link), /^HTTP\/1.1 200 /);
    for (const link of links) assert.match(await ask(link), /^HTTP\/1.1 200 /, "it is still there");
  });
});
