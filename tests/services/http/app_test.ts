import assert from "node:assert/strict";
import {
  BugError,
  ClosedError,
  ProtocolError,
  RefusedError,
  type SkywireError,
  UnavailableError,
} from "../../../lib/errors/mod.ts";
import {
  createHttpApp,
  errorResponse,
  formatGoTime,
  goSyntaxMessage,
  healthRoute,
  readBody,
  statusOf,
} from "../../../lib/services/http/mod.ts";
import type { ErrorFormat, HttpService, Route } from "../../../lib/services/http/mod.ts";
import { ask, makeWorld, sortMethods, type TestWorld } from "./support.ts";

const FORMAT: ErrorFormat = {
  contentType: "text/plain",
  known: { "area/known": { status: 422, message: "prescribed" }, "area/open": { status: 418 } },
  body: (status, message) => `${status} ${message}`,
};

function appOf(routes: readonly Route[]): { fetch: HttpService["fetch"]; world: TestWorld } {
  const world = makeWorld(0n);
  return { fetch: createHttpApp({ ...world.runtime, errors: FORMAT, routes }), world };
}

Deno.test("createHttpApp() answers a path without route with 404 and a method without route with 405", async () => {
  const { fetch } = appOf([
    { method: "GET", path: "/a/:id", handle: (call) => new Response(call.param("id")) },
    { method: "POST", path: "/a/:id", handle: () => new Response("posted") },
  ]);
  assert.equal((await ask(fetch, { method: "GET", path: "/a/x%20y" })).text, "x y");
  const missing = await ask(fetch, { method: "GET", path: "/b" });
  assert.deepEqual([missing.status, missing.text], [404, "404 page not found\n"]);
  const other = await ask(fetch, { method: "DELETE", path: "/a/x" });
  assert.deepEqual([other.status, other.text, sortMethods(other.allow)], [405, "", "GET,POST"]);
});

Deno.test("createHttpApp() never rejects, and tells a failure of ours in the log only", async () => {
  const { fetch, world } = appOf([
    {
      method: "GET",
      path: "/bug",
      handle: () => {
        throw new TypeError("the secret reason");
      },
    },
    { method: "GET", path: "/refused", handle: () => Promise.reject(new RefusedError("area/known", "why")) },
  ]);
  const failed = await ask(fetch, { method: "GET", path: "/bug" });
  assert.deepEqual([failed.status, failed.text], [500, "500 internal error"]);
  assert.match(world.problems.join(), /request-failed.*the secret reason/);
  const refused = await ask(fetch, { method: "GET", path: "/refused" });
  assert.deepEqual([refused.status, refused.text], [422, "422 prescribed"]);
  assert.equal(world.problems.length, 1);
});

Deno.test("createHttpApp() names a failed request in the answer as in the log", async () => {
  const { fetch, world } = appOf([{ method: "GET", path: "/", handle: () => Promise.reject(new Error("x")) }]);
  const response = await fetch(new Request("http://service/"));
  await response.body?.cancel();
  const id = response.headers.get("x-request-id");
  assert.match(id ?? "", /^[0-9a-f]{16}$/);
  assert.ok(world.problems[0]?.includes(id as string));
});

Deno.test("errorResponse() picks the status by class and code, and shows no cause", async () => {
  const cause = new Error("the cause");
  const cases: [SkywireError | Error, number][] = [
    [new ProtocolError("a/b", "m", { cause }), 400],
    [new RefusedError("a/b", "m"), 403],
    [new RefusedError("unauthorized", "m"), 401],
    [new RefusedError("a/not-found", "m"), 404],
    [new RefusedError("a/conflict", "m"), 409],
    [new RefusedError("http/body-too-large", "m"), 413],
    [new UnavailableError("route/not-found", "m", { cause }), 503],
    [new UnavailableError("http/too-many-requests", "m"), 429],
    [new ClosedError("a/b", "m"), 503],
    [new BugError("a/b", "m"), 500],
    [new RangeError("m", { cause }), 500],
  ];
  for (const [error, status] of cases) {
    assert.equal(statusOf(error), status);
    const response = errorResponse(error);
    assert.equal(response.status, status);
    assert.ok(!(await response.text()).includes("the cause"));
  }
});

Deno.test("errorResponse() shows code, message and details of an error in our own form", async () => {
  const error = new UnavailableError("route/not-found", "Find a route", { details: { hop: 2 } });
  assert.deepEqual(await errorResponse(error).json(), {
    error: { code: "route/not-found", message: "Find a route", details: { hop: 2 } },
  });
  assert.equal((await errorResponse(new Error("inside")).json()).error.code, "internal");
});

Deno.test("errorResponse() shows only known texts in the form of a v1.3 service", async () => {
  const text = (error: Error): Promise<string> => errorResponse(error, { format: FORMAT }).text();
  assert.equal(await text(new RefusedError("area/known", "m")), "422 prescribed");
  assert.equal(await text(new RefusedError("area/open", "its own message")), "418 its own message");
  assert.equal(await text(new UnavailableError("storage/full", "/home/x: disk full")), "503 service unavailable");
});

Deno.test("readBody() stops at the limit, whether the length is announced or not", async () => {
  const { runtime } = makeWorld(0n);
  const request = (body: BodyInit): Request => new Request("http://s/", { method: "POST", body });
  const read = (body: BodyInit): Promise<Uint8Array> => readBody(request(body), { ...runtime, maxBytes: 10 });
  assert.equal((await read("0123456789")).length, 10);
  assert.equal((await readBody(new Request("http://s/"), { ...runtime, maxBytes: 10 })).length, 0);
  await assert.rejects(read("01234567890"), { code: "http/body-too-large" });
  const endless = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(4)) });
  await assert.rejects(read(endless), { code: "http/body-too-large" });
});

Deno.test("readBody() gives up on a client that sends nothing", async () => {
  const world = makeWorld(0n);
  const request = new Request("http://s/", { method: "POST", body: new ReadableStream() });
  const reading = readBody(request, { ...world.runtime, maxBytes: 10 });
  await Promise.resolve();
  world.fireTimers();
  await assert.rejects(reading, { code: "http/body-too-slow" });
  assert.equal(world.timerCount, 0);
});

Deno.test("healthRoute() writes the form of v1.3", async () => {
  const { runtime } = makeWorld(1795350919481683508n);
  const { fetch } = appOf([healthRoute({ ...runtime, build: { version: "v0.1.0" } })]);
  assert.equal(
    (await ask(fetch, { method: "GET", path: "/health" })).text,
    '{"build_info":{"version":"v0.1.0","commit":"unknown","date":"unknown"},"started_at":"2026-11-22T12:35:19.481683508Z"}',
  );
});

Deno.test("formatGoTime() leaves out zeros at the end of the fraction, as Go does", () => {
  assert.equal(formatGoTime(1_700_000_000_120_000_000n), "2023-11-14T22:13:20.12Z");
  assert.equal(formatGoTime(1_700_000_000_000_000_000n), "2023-11-14T22:13:20Z");
});

Deno.test("goSyntaxMessage() tells a cut text from a wrong one", () => {
  for (const cut of ["", "[{", '{"a":', '"abc', "[1,"]) {
    assert.equal(goSyntaxMessage(cut), "unexpected end of JSON input", cut);
  }
  assert.equal(goSyntaxMessage("hello"), "invalid character 'h' looking for beginning of value");
  assert.equal(goSyntaxMessage(" x"), "invalid character 'x' looking for beginning of value");
});
