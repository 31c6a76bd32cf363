import assert from "node:assert/strict";
import { RefusedError } from "../../../lib/errors/mod.ts";
import { bucketOf, createRateLimiter, readBody, TextResponse } from "../../../lib/services/http/mod.ts";
import { monotonicMs } from "../../../lib/types/mod.ts";
import { assertDocumented, readApiDocument } from "./api_document.ts";
import { serviceOf } from "./service_support.ts";
import { ask } from "./support.ts";
import { at } from "../../../lib/types/at.ts";

Deno.test("a service counts the requests of each route by method and class of status, with time and bytes", async () => {
  const { fetch } = serviceOf([
    { method: "GET", path: "/a/:id", handle: () => new TextResponse("grüße") },
    { method: "POST", path: "/a/:id", handle: () => Promise.reject(new RefusedError("not-found", "x")) },
  ]);
  for (const id of ["1", "2"]) await ask(fetch, { method: "GET", path: `/a/${id}` });
  await (await fetch(
    new Request("http://s/a/3", { method: "POST", body: "12345", headers: { "content-length": "5" } }),
  )).text();
  await ask(fetch, { method: "GET", path: "/no-path" });
  const { text, contentType } = await ask(fetch, { method: "GET", path: "/metrics" });
  assert.equal(contentType, "text/plain; version=0.0.4");
  const get = 'service="test-service",method="GET",path="/a/:id"', post = get.replace("GET", "POST");
  for (
    const line of [
      `skywire_http_requests_total{${get},status="2xx"} 2`,
      `skywire_http_requests_total{${post},status="4xx"} 1`,
      'skywire_http_requests_total{service="test-service",method="any",path="other",status="4xx"} 1',
      `skywire_http_response_body_bytes_total{${get}} 14`,
      `skywire_http_request_body_bytes_total{${post}} 5`,
      `skywire_http_request_seconds_count{${get}} 2`,
    ]
  ) assert.ok(text.includes(`${line}\n`), `${line} is missing in\n${text}`);
});

Deno.test("a service writes one line for each request, at debug, with the pattern of the path", async () => {
  const { fetch, lines } = serviceOf([{ method: "GET", path: "/a/:id", handle: () => new TextResponse("x") }]);
  await ask(fetch, { method: "GET", path: "/a/02c6047f" });
  assert.equal(lines.length, 1);
  assert.match(
    at(lines, 0),
    /debug request service=test-service method=GET path=\/a\/:id status=200 ms=0 sent=1 remote=/,
  );
});

Deno.test("a service refuses an address that asks too often, says when to come back, and serves others", async () => {
  const { fetch, world } = serviceOf([], { rateLimit: { perSecond: 2, burst: 3 } });
  const from = (remote: string): Promise<Response> => fetch(new Request("http://s/health"), { remote });
  for (let i = 0; i < 3; i++) assert.equal((await from(`192.0.2.1:${i}`)).status, 200);
  const refused = await from("192.0.2.1:9");
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "1"]);
  assert.match(await refused.text(), /Too many requests from this address: come back in 1 s/);
  assert.equal((await from("192.0.2.2:1")).status, 200);
  world.nowNanos += 500_000_000n;
  assert.equal((await from("192.0.2.1:1")).status, 200);
  assert.equal((await from("192.0.2.1:1")).status, 429);
});

Deno.test("a service answers for a route that takes too long", async () => {
  const { fetch, world } = serviceOf([{ method: "GET", path: "/slow", handle: () => new Promise(() => {}) }]);
  const answering = ask(fetch, { method: "GET", path: "/slow" });
  await Promise.resolve();
  world.fireTimers();
  assert.deepEqual([(await answering).status, (await answering).text], [
    503,
    "503 Answer the request: no end within 20000 ms",
  ]);
  assert.equal(world.timerCount, 0);
});

Deno.test("a service says what was wrong with a body that is too large", async () => {
  const { fetch, world } = serviceOf([{
    method: "POST",
    path: "/",
    handle: async ({ request }) => {
      await readBody(request, { ...world.runtime, maxBytes: 4 });
      return new TextResponse("");
    },
  }]);
  const answer = await ask(fetch, { method: "POST", path: "/", body: "12345" });
  assert.deepEqual([answer.status, answer.text], [413, "413 Read the body: more than 4 bytes"]);
});

Deno.test("the paths that all services have are as they describe them", async () => {
  const { fetch } = serviceOf([]);
  const document = await readApiDocument(fetch);
  for (const path of ["/health", "/metrics", "/openapi.json", "/none"]) {
    const question = { method: "GET", path };
    assertDocumented(document, question, await ask(fetch, question));
  }
  assert.throws(() =>
    assertDocumented(document, { method: "GET", path: "/health" }, { status: 201, text: "", contentType: "" })
  );
  assert.throws(() =>
    assertDocumented(document, { method: "GET", path: "/health" }, {
      status: 200,
      text: "{}",
      contentType: "application/json",
    })
  );
});

Deno.test("bucketOf() tells hosts apart by what one customer cannot change at will", () => {
  assert.equal(bucketOf("192.0.2.1:80"), "192.0.2.1");
  assert.equal(bucketOf("[2001:db8:1:2:3:4:5:6]:80"), bucketOf("[2001:db8:1:2::1]:81"));
  assert.equal(bucketOf("[2001:db8::1]:80"), "2001:db8:0:0");
  assert.equal(bucketOf("[1::2:3:4:5:6:7]:80"), "1:0:2:3");
  assert.notEqual(bucketOf("[2001:db8:1:2::1]:80"), bucketOf("[2001:db8:1:3::1]:80"));
  assert.equal(bucketOf("[::ffff:192.0.2.1]:80"), "192.0.2.1");
  assert.equal(bucketOf(`02${"ab".repeat(32)}:49153`), `02${"ab".repeat(32)}`);
});

Deno.test("createRateLimiter() forgets addresses rather than grow, the quiet ones first", () => {
  let now = 0;
  const limiter = createRateLimiter({
    clock: { monotonic: () => monotonicMs(now) },
    limit: { perSecond: 1, burst: 1 },
  });
  assert.equal(limiter.take("a:1"), 0);
  for (let i = 0; i < 8_000; i++) limiter.take(`x${i}:1`);
  assert.equal(limiter.take("a:1"), 1000, "still known");
  for (let i = 0; i < 20_000; i++) limiter.take(`y${i}:1`);
  assert.equal(limiter.take("a:1"), 0, "forgotten");
  now = 1_000;
  assert.equal(limiter.take("a:1"), 0);
  assert.equal(limiter.take(""), 0, "whoever is inside the process is not counted");
});
