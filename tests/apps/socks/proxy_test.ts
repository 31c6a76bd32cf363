/** The SOCKS5 apps over real sockets, with real curl on one side and a real HTTP server on the other. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  createSocksClient,
  createSocksServer,
  type SocksClient,
  type SocksServerOptions,
} from "../../../lib/apps/mod.ts";
import { SOCKS_PORT } from "../../../lib/apps/socks/server.ts";
import { createMuxSession, type MuxSession } from "../../../lib/links/mux_session.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { type ByteLink, parseAddress, type Runtime } from "../../../lib/runtime/mod.ts";
import { ALICE, BOB, createTestOverlay, runApp, type TestOverlay } from "../support.ts";

const LOOPBACK = ["127.0.0.0/8", "::1"];

interface World extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly overlay: TestOverlay;
  readonly client: SocksClient;
}

/** Client at Alice, server at Bob. */
async function createWorld(options: Partial<SocksServerOptions> = {}, known?: string): Promise<World> {
  const stack = new AsyncDisposableStack();
  const runtime = stack.use(createDenoRuntime({ logLevel: "off" }));
  const overlay = stack.use(await createTestOverlay(runtime));
  const network = overlay.networkOf(BOB);
  stack.use(await runApp(createSocksServer({ runtime, network, destinations: LOOPBACK, ...options })));
  const client = createSocksClient({
    runtime,
    network: overlay.networkOf(ALICE),
    remote: BOB,
    listen: "127.0.0.1:0",
    passcode: known,
    name: "proxy",
  });
  stack.use(await runApp(client));
  return { runtime, overlay, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

interface CurlResult {
  readonly code: number;
  readonly body: Uint8Array;
  readonly seconds: number;
}

/** Runs curl through the proxy. */
async function curl(client: SocksClient, url: string, ...more: readonly string[]): Promise<CurlResult> {
  const began = performance.now();
  const command = new Deno.Command("curl", {
    args: ["-sS", "--max-time", "60", "--socks5-hostname", client.address ?? "", ...more, url],
    stdout: "piped",
    stderr: "null",
  });
  const { code, stdout } = await command.output();
  return { code, body: stdout, seconds: (performance.now() - began) / 1000 };
}

/** `size` bytes that repeat only after a prime number of bytes. */
function bodyOf(size: number): Uint8Array<ArrayBuffer> {
  const block = crypto.getRandomValues(new Uint8Array(65_521));
  const body = new Uint8Array(size);
  for (let at = 0; at < size; at += block.length) body.set(block.subarray(0, size - at), at);
  return body;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Answers GET with `body` and anything else with the digest of what was sent. */
function serve(body: Uint8Array<ArrayBuffer>): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method === "GET") return new Response(body);
    return new Response(digest(await request.bytes()));
  });
}

/** Sends bytes to the proxy, and gives all it answers until `enough` bytes came or it closes. */
async function talk({ runtime, client }: World, hex: string, enough: number): Promise<{ link: ByteLink; hex: string }> {
  const link = await runtime.network.dial(client.address ?? "");
  await link.write(Uint8Array.fromHex(hex));
  const into = new Uint8Array(enough);
  let done = 0;
  while (done < enough) {
    const count = await link.read(into.subarray(done));
    if (count === null) break;
    done += count;
  }
  return { link, hex: into.subarray(0, done).toHex() };
}

const connectTo = (port: number, address = "7f000001"): string =>
  `050100` + `05010001${address}${port.toString(16).padStart(4, "0")}`;

Deno.test("curl downloads 20 MB and uploads 10 MB through the proxy, unchanged", async () => {
  await using world = await createWorld();
  const body = bodyOf(20_000_000);
  await using server = serve(body);
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const down = await curl(world.client, url);
  assert.equal(down.code, 0);
  assert.equal(digest(down.body), digest(body));
  const file = await Deno.makeTempFile();
  try {
    const upload = body.subarray(0, 10_000_000);
    await Deno.writeFile(file, upload);
    const up = await curl(world.client, url, "--data-binary", `@${file}`);
    assert.equal(new TextDecoder().decode(up.body), digest(upload));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("twenty programs use the proxy at the same time", async () => {
  await using world = await createWorld();
  const body = bodyOf(300_000);
  await using server = serve(body);
  const url = `http://localhost:${server.addr.port}/`;
  const results = await Promise.all(Array.from({ length: 20 }, () => curl(world.client, url)));
  assert.ok(results.every((result) => result.code === 0 && digest(result.body) === digest(body)));
  assert.equal(world.overlay.dials.length, 1, "one route carries them all");
});

Deno.test("whoever connects and does not go through with it takes no place from others", async () => {
  await using world = await createWorld();
  const body = bodyOf(1_000);
  await using server = serve(body);
  const url = `http://127.0.0.1:${server.addr.port}/`;
  // As many as there are places, silent ones and such as begin a greeting; the busy one is not theirs to take.
  const busy = await talk(world, connectTo(server.addr.port), 12);
  const idle: ByteLink[] = [];
  for (let i = 0; i < 520; i++) {
    const link = await world.runtime.network.dial(world.client.address ?? "");
    idle.push(link);
    if (i % 2 === 0) await link.write(Uint8Array.of(5));
  }
  const result = await curl(world.client, url);
  assert.equal(digest(result.body), digest(body));
  await busy.link.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  assert.ok((await busy.link.read(new Uint8Array(100)))! > 0);
  for (const link of [busy.link, ...idle]) link.close();
});

Deno.test("beyond the most connections, each program gets a SOCKS answer", async () => {
  await using world = await createWorld();
  const listener = await world.runtime.network.listen("127.0.0.1:0");
  const accepted: ByteLink[] = [];
  const accepting = (async () => {
    for await (const link of listener) accepted.push(link);
  })();
  const { port = 0 } = parseAddress(listener.address) ?? {};
  const answers: { link: ByteLink; hex: string }[] = [];
  // A few at a time, so that nothing but the number decides.
  for (let i = 0; i < 540; i += 20) {
    answers.push(...await Promise.all(Array.from({ length: 20 }, () => talk(world, connectTo(port), 12))));
  }
  const replies = answers.map(({ hex }) => hex.slice(4, 8));
  assert.equal(replies.filter((reply) => reply === "0500").length, 512);
  assert.equal(replies.filter((reply) => reply === "0501").length, 28);
  for (const { link } of answers) link.close();
  for (const link of accepted) link.close();
  listener.close();
  await accepting;
});

Deno.test("a server tells a client beyond its most streams that there is no place, as SOCKS does", async () => {
  await using world = await createWorld();
  const { runtime, overlay } = world;
  const listener = await runtime.network.listen("127.0.0.1:0");
  const accepted: ByteLink[] = [];
  const accepting = (async () => {
    for await (const link of listener) accepted.push(link);
  })();
  const { port = 0 } = parseAddress(listener.address) ?? {};
  const connection = await overlay.networkOf(ALICE).dial(BOB, SOCKS_PORT);
  const mux = createMuxSession(connection, { role: "client", runtime, keepAlive: false });
  const replyOn = async (stream: ByteLink): Promise<string> => {
    await stream.write(Uint8Array.fromHex(connectTo(port)));
    const into = new Uint8Array(4);
    for (let done = 0; done < 4;) done += await stream.read(into.subarray(done)) ?? assert.fail("cut");
    return into.toHex();
  };
  const replies: string[] = [];
  for (let i = 0; i < 520; i += 40) {
    replies.push(...await Promise.all(Array.from({ length: 40 }, async () => await replyOn(await mux.open()))));
  }
  assert.deepEqual([replies.filter((text) => text === "05000500").length, replies.at(-1)], [512, "05000501"]);
  mux.close();
  listener.close();
  await accepting;
  for (const link of accepted) link.close();
});

Deno.test("a server takes 4,096 sessions of all clients together, and tells others that there is no place", async () => {
  await using world = await createWorld();
  const { runtime, overlay } = world;
  const muxes: MuxSession[] = [];
  for (let i = 0; i < 9; i++) {
    const connection = await overlay.networkOf(ALICE).dial(BOB, SOCKS_PORT);
    muxes.push(createMuxSession(connection, { role: "client", runtime, keepAlive: false }));
  }
  // Sessions that have begun, and ask for nothing yet.
  const begin = async (mux: MuxSession): Promise<void> => {
    const stream = await mux.open();
    await stream.write(Uint8Array.fromHex("050100"));
    assert.equal(await stream.read(new Uint8Array(2)), 2);
  };
  for (const mux of muxes.slice(0, 8)) {
    for (let i = 0; i < 512; i += 32) await Promise.all(Array.from({ length: 32 }, () => begin(mux)));
  }
  const answerOf = async (hex: string): Promise<string> => {
    const stream = await muxes[8]?.open();
    await stream?.write(Uint8Array.fromHex(hex));
    const into = new Uint8Array(4);
    for (let done = 0; done < 4;) done += await stream?.read(into.subarray(done)) ?? assert.fail("cut");
    stream?.close();
    return into.toHex();
  };
  assert.equal(await answerOf(connectTo(9)), "05000501");
  muxes[0]?.close();
  // It notices by and by. Nobody listens on port 9.
  for (let i = 0; i < 1_000 && await answerOf(connectTo(9)) === "05000501"; i++);
  assert.equal(await answerOf(connectTo(9)), "05000505");
  for (const mux of muxes) mux.close();
});

Deno.test("the passcode is taken as user or as password, and nothing else is", async () => {
  await using world = await createWorld({ passcode: "sesame" });
  await using server = serve(bodyOf(10));
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const codes = await Promise.all(
    [["--proxy-user", "sesame:x"], ["--proxy-user", "x:sesame"], ["--proxy-user", "x:sesam"], [
      "--proxy-user",
      "x:sesames",
    ], [
      "--proxy-user",
      "sesamesesame:x",
    ], []]
      .map(async (more) => (await curl(world.client, url, ...more)).code),
  );
  assert.deepEqual(codes.slice(0, 2), [0, 0]);
  assert.ok(codes.slice(2).every((code) => code === 97), "curl: the proxy's handshake failed");
});

Deno.test("a client that knows the passcode says it, so that programs need not", async () => {
  await using world = await createWorld({ passcode: "sesame" }, "sesame");
  const body = bodyOf(100_000);
  await using server = serve(body);
  const result = await curl(world.client, `http://127.0.0.1:${server.addr.port}/`);
  assert.equal(digest(result.body), digest(body));
  const own = await curl(world.client, `http://127.0.0.1:${server.addr.port}/`, "--proxy-user", "x:sesame");
  assert.equal(own.code, 0, "a program with credentials is not hindered");
  const { link, hex } = await talk(world, "050102" + "0101780173" + connectTo(server.addr.port).slice(6), 4);
  assert.equal(hex, "0502" + "0101", "a program that offers a password only speaks for itself");
  link.close();
});

Deno.test("a client with a wrong passcode gets nothing through, and its programs an answer", async () => {
  await using world = await createWorld({ passcode: "sesame" }, "sesam");
  const { link, hex } = await talk(world, connectTo(80), 12);
  assert.equal(hex, "05ff");
  link.close();
});

Deno.test("a passcode that the server does not ask for changes nothing, in any split of the greeting", async () => {
  await using world = await createWorld({}, "sesame");
  await using server = serve(bodyOf(10));
  const { link } = await talk(world, "05", 0);
  for (const byte of connectTo(server.addr.port).match(/../g)!.slice(1)) await link.write(Uint8Array.fromHex(byte));
  const into = new Uint8Array(12);
  let done = 0;
  while (done < 12) done += await link.read(into.subarray(done)) ?? 12;
  assert.equal(into.toHex(), "0500" + "05000001000000000000");
  link.close();
});

Deno.test("a server that lets through to the public only denies every way to its own network", async () => {
  await using world = await createWorld({ destinations: ["public"] });
  await using server = serve(bodyOf(10));
  const { port } = server.addr;
  const mapped = `05010004${"0".repeat(20)}ffff7f000001${port.toString(16).padStart(4, "0")}`;
  const named = (name: string): string =>
    `05010003${name.length.toString(16).padStart(2, "0")}${new TextEncoder().encode(name).toHex()}` +
    port.toString(16).padStart(4, "0");
  const requests = [connectTo(port).slice(6), mapped, ...["localhost", "127.1", "2130706433", "::1"].map(named)];
  for (const request of requests) {
    const { link, hex } = await talk(world, `050100${request}`, 12);
    assert.equal(hex, "0500" + "05020001000000000000", request);
    link.close();
  }
});

Deno.test("the server answers with the code that fits", async () => {
  await using world = await createWorld();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const unknown = "no-such-host.invalid";
  const cases: [request: string, answer: string][] = [
    [connectTo(port), "050005050001000000000000"],
    ["050100" + "050200017f0000010050", "050005070001000000000000"],
    ["050100" + "050300017f0000010050", "050005070001000000000000"],
    ["050100" + "05010009", "050005080001000000000000"],
    [`050100` + `0501000314${new TextEncoder().encode(unknown).toHex()}0050`, "050005040001000000000000"],
    ["050102", "05ff"],
  ];
  for (const [request, answer] of cases) {
    const { link, hex } = await talk(world, request, 12);
    assert.equal(hex, answer, request);
    link.close();
  }
});

Deno.test("a program that ends its direction first still gets the answer", async () => {
  await using world = await createWorld();
  const target = await world.runtime.network.listen("127.0.0.1:0");
  const answering = (async (): Promise<void> => {
    for await (const link of target) {
      const into = new Uint8Array(100);
      let heard = 0;
      for (let count = await link.read(into); count !== null; count = await link.read(into)) heard += count;
      await link.write(Uint8Array.of(heard));
      link.close();
    }
  })();
  const { link, hex } = await talk(world, connectTo(parseAddress(target.address)?.port ?? 0), 12);
  assert.equal(hex, "0500" + "05000001000000000000");
  await link.write(new Uint8Array(7));
  link.closeWrite?.();
  const into = new Uint8Array(10);
  assert.equal(await link.read(into), 1);
  assert.equal(into[0], 7);
  assert.equal(await link.read(into), null);
  link.close();
  target.close();
  await answering;
});

Deno.test("while the route is down curl gets a SOCKS error within 10 s, and afterwards the proxy works again", async () => {
  await using world = await createWorld();
  const body = bodyOf(100_000);
  await using server = serve(body);
  const url = `http://127.0.0.1:${server.addr.port}/`;
  assert.equal((await curl(world.client, url)).code, 0);
  world.overlay.isDown = true;
  world.overlay.cut();
  const down = await curl(world.client, url);
  assert.equal(down.code, 97);
  assert.ok(down.seconds < 10, `${down.seconds} s`);
  world.overlay.isDown = false;
  // The next dial is up to 5 s away, longer than one request waits for it.
  const up = await curl(world.client, url, "--retry", "5", "--retry-delay", "1", "--retry-all-errors");
  assert.equal(digest(up.body), digest(body));
});

Deno.test("an address of a destination that is silent does not keep a program from the next one", async () => {
  using own = createDenoRuntime({ logLevel: "off" });
  const dialled: string[] = [];
  const silent = ({ signal }: { readonly signal?: AbortSignal } = {}): Promise<never> =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  const network: Runtime["network"] = {
    ...own.network,
    resolve: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]),
    dial: (address, options) => {
      dialled.push(address);
      return address.startsWith("127.0.0.2:") ? silent(options) : own.network.dial(address, options);
    },
  };
  await using world = await createWorld({ runtime: { ...own, network } });
  await using server = serve(bodyOf(10));
  const { code } = await curl(world.client, `http://two.example:${server.addr.port}/`);
  assert.equal(code, 0);
  assert.deepEqual(dialled.map((address) => address.split(":")[0]), ["127.0.0.2", "127.0.0.1"]);
});
