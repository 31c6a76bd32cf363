/** Names for keys: what they may be, where they stand, and that they are kept. */

import assert from "node:assert/strict";
import { createMemoryStorage } from "../../../lib/simulation/memory_storage.ts";
import { startVisor, type Visor } from "../../../lib/visor/mod.ts";
import { NamesPart } from "../../../lib/visor/names/part.ts";
import type { PublicKey } from "../../../lib/types/mod.ts";
import { simulationTest } from "../../fakes/mod.ts";

const A = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5" as PublicKey;
const B = "031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f" as PublicKey;

async function partOn(storage = createMemoryStorage()): Promise<NamesPart> {
  const part = new NamesPart({ storage });
  await part.restore();
  return part;
}

Deno.test("NamesPart keeps names, gives one anew, and forgets", async () => {
  const storage = createMemoryStorage();
  const part = await partOn(storage);
  await Promise.all([part.set("otto", A), part.set("mira", A), part.set("nas", B), part.set("mira", B)]);
  await part.remove("otto");
  const wanted = [{ name: "mira", publicKey: B, from: "user" }, { name: "nas", publicKey: B, from: "user" }];
  for (const one of [part, await partOn(storage)]) {
    assert.deepEqual(one.list(), wanted);
    assert.equal(one.keyOf("mira"), B);
    assert.equal(one.keyOf("otto"), undefined);
  }
  await assert.rejects(part.remove("otto"), { code: "name/not-found" });
});

Deno.test("NamesPart refuses what is no name or no key, and forgets what could not be saved", async () => {
  const storage = createMemoryStorage();
  const part = await partOn(storage);
  for (const bad of ["", "Mira", "mira.sky", "a b", "02c6047f", "-a", "x".repeat(64), "../x"]) {
    await assert.rejects(part.set(bad, A), { code: "name/bad-name", message: /wanted a name of 1–63/ }, bad);
  }
  const none = `02${"ff".repeat(32)}` as PublicKey;
  await assert.rejects(part.set("mira", none), { code: "name/bad-key" });
  storage.full = true;
  await assert.rejects(part.set("mira", A), { code: "storage/write-failed" });
  assert.deepEqual(part.list(), []);
});

Deno.test("NamesPart refuses a file that is damaged, and writes back what a later version wrote", async () => {
  const storage = createMemoryStorage();
  const write = (value: unknown) => storage.write("names.json", new TextEncoder().encode(JSON.stringify(value)));
  await write([{ name: "02c6047f", publicKey: A, from: "user" }]);
  await assert.rejects(partOn(storage), { code: "config/invalid", message: /names\.json.*0\.name: wanted a name/ });
  const later = { name: "mira", publicKey: A, from: "invite", colour: "green" };
  await write([later]);
  await (await partOn(storage)).set("nas", B);
  const kept = JSON.parse(new TextDecoder().decode(await storage.read("names.json")));
  assert.deepEqual(kept, [later, { name: "nas", publicKey: B, from: "user" }]);
});

simulationTest("a name stands wherever a key does, and as NAME.sky, after a restart too", async (sim) => {
  const start = (host: string, join?: string): Promise<Visor> => {
    const world = { runtime: sim.runtimeFor(host), storage: sim.storageFor(host) };
    return sim.run(startVisor({ ...world, host, ...(join === undefined ? {} : { join }) }));
  };
  const a = await start("a");
  let b = await start("b", a.ticket);
  const ask = async (method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> => {
    const { url, token } = JSON.parse(new TextDecoder().decode(await sim.storageFor("b").read("control.json")));
    const headers = { authorization: `Bearer ${token}` };
    const request = new Request(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await sim.run(async () => {
      const response = await sim.runtimeFor("b").http.fetch(request);
      return { status: response.status, text: await response.text() };
    });
  };
  const mira = { name: "mira", publicKey: a.publicKey, from: "user" };
  const set = await ask("PUT", "/v1/names/mira", { publicKey: a.publicKey });
  assert.deepEqual([set.status, JSON.parse(set.text)], [200, { names: [mira] }]);
  await sim.run(async () => await b[Symbol.asyncDispose]());
  b = await start("b");
  assert.deepEqual(JSON.parse((await ask("GET", "/v1/names")).text), { names: [mira] });

  assert.equal(JSON.parse((await ask("POST", "/v1/ping", { remote: "mira", count: 1 })).text).to, a.publicKey);
  assert.equal(JSON.parse((await ask("POST", "/v1/ping", { remote: "mira", count: 1, path: ["mira"] })).text).hops, 1);
  const health = JSON.parse((await ask("POST", "/v1/http/get", { url: "http://mira.sky/health" })).text);
  assert.equal(health.dmsg_address, `${a.publicKey}:80`);
  const page = await sim.run(async () => await (await b.http.fetch(new Request("http://mira.sky/health"))).json());
  assert.equal(page.dmsg_address, health.dmsg_address);
  const proxy = await ask("POST", "/v1/proxies", { role: "client", to: "mira", listen: "b:1080" });
  assert.equal(JSON.parse(proxy.text).proxy.to, a.publicKey);
  await ask("PUT", "/v1/names/friend", { publicKey: "mira" });
  assert.equal(b.names.keyOf("friend"), a.publicKey);

  for (
    const [method, path, body, status, code] of [
      ["PUT", "/v1/names/Mira", { publicKey: a.publicKey }, 403, "name/bad-name"],
      ["PUT", "/v1/names/otto", { publicKey: "banana!" }, 403, "config/invalid"],
      ["PUT", "/v1/names/otto", { publicKey: "banana" }, 403, "visor/unknown-name"],
      ["DELETE", "/v1/names/otto", undefined, 404, "name/not-found"],
      ["POST", "/v1/ping", { remote: "otto" }, 403, "visor/unknown-name"],
      ["POST", "/v1/http/get", { url: "http://otto.sky/" }, 403, "visor/unknown-name"],
    ] as const
  ) {
    const got = await ask(method, path, body);
    assert.deepEqual([got.status, JSON.parse(got.text).error.code], [status, code], `${method} ${path}`);
  }
  assert.deepEqual(JSON.parse((await ask("DELETE", "/v1/names/friend")).text), { names: [mira] });
  for (const visor of [b, a]) await sim.run(async () => await visor[Symbol.asyncDispose]());
});
