import assert from "node:assert/strict";
import { createServiceClient } from "../../../lib/services/http/mod.ts";
import { makeWorld } from "./support.ts";

Deno.test("a service's answer is short, but a list of everything it knows", async () => {
  const world = makeWorld(0n, () => Promise.resolve(new Response("x".repeat(256 * 1024 + 1))));
  const send = createServiceClient({ ...world.runtime, url: "http://service" });
  await assert.rejects(send({ method: "GET", path: "/one" }), { code: "http/answer-too-large" });
  assert.equal((await send({ method: "GET", path: "/all", isList: true })).text.length, 256 * 1024 + 1);
});
