/**
 * The control API: its description, the token that every path wants, errors in one form, and what whole visors answer.
 * `UPDATE_API=1 deno test -A tests/visor` writes the description.
 */

import assert from "node:assert/strict";
import * as v from "valibot";
import { RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import type { HttpService } from "../../../lib/services/http/mod.ts";
import * as capabilities from "../../../lib/visor/capabilities.ts";
import type { Capability } from "../../../lib/visor/capability.ts";
import { createControlApi } from "../../../lib/visor/control/api.ts";
import { answer, type ControlRoute, operation } from "../../../lib/visor/control/operation.ts";
import { KeyBook } from "../../../lib/visor/key_book.ts";
import { startVisor } from "../../../lib/visor/mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { assertApiFile, assertDocumented, readApiDocument } from "../../services/http/api_document.ts";
import { ask, makeWorld } from "../../services/http/support.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

/** Every route of every capability; no part stands behind them. */
const ALL: readonly ControlRoute[] = Object.values<Capability<object, unknown>>(capabilities).flatMap((capability) =>
  capability.makeRoutes({}, new KeyBook())
);

const ECHO = operation({
  method: "POST",
  path: "/v1/echo/:name",
  summary: "Gives back",
  body: v.strictObject({ text: v.string() }),
  answer: v.object({ text: v.string() }),
});

/** The API with some routes; requests carry the token. */
function serviceOf(routes: readonly ControlRoute[]): HttpService["fetch"] {
  const { fetch } = createControlApi(routes, { runtime: makeWorld(0n).runtime, token: TOKEN });
  return (request, context) => {
    request.headers.set("authorization", `Bearer ${TOKEN}`);
    return fetch(request, context);
  };
}

Deno.test("the control API describes itself as the recorded document says", async () => {
  await assertApiFile(serviceOf(ALL), "control");
});

Deno.test("the control API wants its token on every path, and tells nothing without it", async () => {
  const world = makeWorld(0n);
  const { fetch } = createControlApi(ALL, { runtime: world.runtime, token: TOKEN });
  const paths = [
    ...ALL.map(({ operation: { method, path } }) => [method, path.replace(/:[a-z]+/g, "x")] as const),
    ...["/health", "/metrics", "/openapi.json", "/", "/v1/nothing"].map((path) => ["GET", path] as const),
  ];
  assert.ok(paths.length > 20);
  for (const [method, path] of paths) {
    for (
      const given of [undefined, "", TOKEN, "Bearer ", `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`]
    ) {
      const headers = given === undefined ? {} : { authorization: given };
      const { status, text } = await ask(fetch, { method, path, headers });
      assert.equal(status, 401, `${method} ${path} with "${given}"`);
      assert.equal(JSON.parse(text).error.code, "unauthorized");
      assert.doesNotMatch(text, new RegExp(TOKEN));
    }
  }
});

Deno.test("the control API answers errors in one form, with the whole chain of causes", async () => {
  const cause = new UnavailableError("network/dial-failed", "Connect: refused");
  const fetch = serviceOf([answer(ECHO, ({ body, param }) => {
    if (param("name") === "refuse") throw new RefusedError("proxy/not-found", "Remove it: there is none", { cause });
    return { text: `${param("name")}: ${body.text}` };
  })]);
  const document = await readApiDocument(fetch);
  for (
    const [path, body, status, wanted] of [
      ["/v1/echo/a", '{"text":"x"}', 200, { text: "a: x" }],
      ["/v1/echo/a%2Fb", '{"text":"x"}', 200, { text: "a/b: x" }],
      ["/v1/echo/refuse", '{"text":"x"}', 404, "proxy/not-found"],
      ["/v1/echo/a", '{"text":1}', 403, "config/invalid"],
      ["/v1/echo/a", '{"text":"x","more":1}', 403, "config/invalid"],
      ["/v1/echo/a", "banana", 403, "config/invalid"],
      ["/v1/banana", "", 404, "not-found"],
    ] as const
  ) {
    const question = { method: "POST", path, body };
    const got = await ask(fetch, question);
    const json = JSON.parse(got.text);
    assert.equal(got.status, status, `${path} ${body}`);
    if (typeof wanted === "string") assert.equal(json.error.code, wanted);
    else assert.deepEqual(json, wanted);
    assertDocumented(document, question, got);
  }
  const refused = await ask(fetch, { method: "POST", path: "/v1/echo/refuse", body: '{"text":"x"}' });
  assert.match(JSON.parse(refused.text).error.message, /there is none.*Connect: refused/);
});

/** Asks a running visor. */
async function control(
  sim: Simulation,
  host: string,
): Promise<(method: string, path: string, body?: unknown) => ReturnType<typeof ask>> {
  const { http } = sim.runtimeFor(host);
  const file = await sim.storageFor(host).read("control.json");
  const { url, token } = JSON.parse(new TextDecoder().decode(file));
  const fetch: HttpService["fetch"] = (request) => {
    const headers = { ...Object.fromEntries(request.headers), authorization: `Bearer ${token}` };
    return http.fetch(
      new Request(url + new URL(request.url).pathname, {
        ...request,
        headers,
        method: request.method,
        body: request.body,
      }),
    );
  };
  return (method, path, body) =>
    sim.run(ask(fetch, { method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }));
}

simulationTest("a visor answers over its control API as the document says", async (sim) => {
  const start = (host: string, join?: string) =>
    sim.run(startVisor({
      runtime: sim.runtimeFor(host),
      storage: sim.storageFor(host),
      host,
      ...(join === undefined ? {} : { join }),
    }));
  const a = await start("a");
  const b = await start("b", a.ticket);
  const request = await control(sim, "b");
  const document = JSON.parse((await request("GET", "/openapi.json")).text);
  const stcp = a.listeners.find(({ purpose }) => purpose === "transport-stcp")!.address.replace("0.0.0.0", "a");
  const short = a.publicKey.slice(0, 10);
  const made = await request("POST", "/v1/transports", { remote: a.publicKey, type: "stcp", address: stcp });
  const { id } = JSON.parse(made.text).transport;
  for (
    const [method, path, body, status] of [
      ["GET", "/v1/status", undefined, 200],
      ["GET", "/v1/transports", undefined, 200],
      ["GET", "/v1/network/transports", undefined, 200],
      ["POST", "/v1/routes/find", { remote: short, metric: { latency: 1 } }, 200],
      ["POST", "/v1/routes/explain", { remote: short }, 200],
      ["POST", "/v1/ping", { remote: short, count: 2 }, 200],
      ["POST", "/v1/ping", { remote: short, count: 1, path: [id] }, 200],
      ["POST", "/v1/bench", { remote: short, seconds: 0.1 }, 200],
      ["GET", "/v1/rules", undefined, 200],
      ["POST", "/v1/proxies", { role: "server", allow: [short], destinations: ["public"] }, 200],
      ["POST", "/v1/proxies", { role: "client", to: short, listen: "127.0.0.1:1080" }, 200],
      ["POST", "/v1/proxies", { role: "client", to: "02ffffffffffff", listen: "127.0.0.1:0" }, 403],
      ["GET", "/v1/proxies", undefined, 200],
      ["GET", "/v1/apps", undefined, 200],
      ["POST", "/v1/apps/proxy-1/stop", undefined, 200],
      ["POST", "/v1/apps/proxy-1/start", undefined, 200],
      ["POST", "/v1/apps/nobody/start", undefined, 403],
      ["DELETE", "/v1/proxies/proxy-1", undefined, 200],
      ["DELETE", "/v1/proxies/proxy-1", undefined, 404],
      ["POST", "/v1/http/get", { url: `http://${short}.sky/health` }, 200],
      ["DELETE", `/v1/transports/${id.slice(0, 8)}`, undefined, 200],
      ["DELETE", `/v1/transports/${id}`, undefined, 404],
      ["GET", "/metrics", undefined, 200],
      ["GET", "/health", undefined, 200],
    ] as const
  ) {
    const got = await request(method, path, body);
    assert.equal(got.status, status, `${method} ${path}: ${got.text}`);
    assertDocumented(document, { method, path }, got);
  }
  for (const visor of [b, a]) await sim.run(async () => await visor[Symbol.asyncDispose]());
});
