/** The limits of a service as a client on a real socket meets them. Time is virtual. */

import assert from "node:assert/strict";
import * as v from "valibot";
import { createDenoHttp } from "../../../lib/runtime/deno/http.ts";
import { createServiceApp, readBody, type ServiceSettings, TextResponse } from "../../../lib/services/http/mod.ts";
import { createVirtualTime, type VirtualTime } from "../../fakes/mod.ts";
import { makeWorld } from "./support.ts";

interface Stage extends AsyncDisposable {
  readonly time: VirtualTime;
  /** `host:port` */
  readonly address: string;
  /** Resolves when a request has come in. */
  readonly entered: Promise<void>;
}

/** A service that takes bodies of up to 8 bytes at `POST /`, on a socket. */
async function serve(settings: ServiceSettings = {}): Promise<Stage> {
  const time = createVirtualTime();
  const runtime = { ...makeWorld(0n).runtime, clock: time.clock, timers: time.timers };
  const entered = Promise.withResolvers<void>();
  const fetch = createServiceApp({
    name: "test-service",
    title: "Test",
    runtime,
    errors: { contentType: "text/plain", known: {}, body: (_, message) => message },
    errorBody: v.string(),
    routes: [{
      method: "POST",
      path: "/",
      doc: { summary: "x", answers: { 200: { text: "The length", type: "text/plain" } } },
      handle: async ({ request }) => {
        entered.resolve();
        const body = await readBody(request, { maxBytes: 8, timers: time.timers });
        return new TextResponse(String(body.length));
      },
    }],
    settings,
  });
  const http = createDenoHttp({ timers: time.timers });
  const { address, close } = await http.serve("127.0.0.1:0", fetch);
  return {
    time,
    address,
    entered: entered.promise,
    [Symbol.asyncDispose]: async () => {
      http[Symbol.dispose]();
      await close();
    },
  };
}

/** Sends bytes and reads the answer. The server keeps the connection while it waits for the rest of a body. */
async function exchange(address: string, text: string): Promise<string> {
  const [hostname, port] = address.split(":") as [string, string];
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(4096);
  let answer = "";
  while (!isWhole(answer)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return answer;
}

function isWhole(answer: string): boolean {
  const [head = "", body] = answer.split("\r\n\r\n");
  return body?.length === Number(/content-length: (\d+)/i.exec(head)?.[1]);
}

function post(headers: string, body: string): string {
  return `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n\r\n${body}`;
}

Deno.test("a body within the limit is taken", async () => {
  await using stage = await serve();
  assert.match(await exchange(stage.address, post("content-length: 8", "12345678")), /^HTTP\/1.1 200 [^]*\r\n\r\n8$/);
});

Deno.test("a body that is announced too large gives 413 before it comes, and says how much is allowed", async () => {
  await using stage = await serve();
  const answer = await exchange(stage.address, post("content-length: 9", ""));
  assert.match(answer, /^HTTP\/1.1 413 [^]*\r\n\r\nRead the body: more than 8 bytes$/);
});

Deno.test("a body that turns out too large gives 413", async () => {
  await using stage = await serve();
  const answer = await exchange(stage.address, post("transfer-encoding: chunked", "5\r\n12345\r\n5\r\n12345\r\n"));
  assert.match(answer, /^HTTP\/1.1 413 [^]*Read the body: more than 8 bytes$/);
});

Deno.test("a body that does not come within 10 s gives 408, and says so", async () => {
  await using stage = await serve();
  const answering = exchange(stage.address, post("content-length: 8", "1234"));
  await stage.entered;
  await stage.time.run(9_999);
  const early = await Promise.race([answering, Promise.resolve("none yet")]);
  assert.equal(early, "none yet");
  await stage.time.run(1);
  assert.match(await answering, /^HTTP\/1.1 408 [^]*\r\n\r\nRead the body: no end within 10000 ms$/);
});

Deno.test("a client that asks too often gets 429 with the time to wait, and is served after it", async () => {
  await using stage = await serve({ rateLimit: { perSecond: 1, burst: 2 } });
  const ask = (): Promise<string> => exchange(stage.address, post("content-length: 1", "1"));
  for (let i = 0; i < 2; i++) assert.match(await ask(), /^HTTP\/1.1 200 /);
  const refused = await ask();
  assert.match(refused, /^HTTP\/1.1 429 [^]*\r\nretry-after: 1\r\n/);
  assert.match(refused, /\r\n\r\nToo many requests from this address: come back in 1 s$/);
  await stage.time.run(1_000);
  assert.match(await ask(), /^HTTP\/1.1 200 /);
});
