import assert from "node:assert/strict";
import { generateSecretKey, publicKeyOf } from "../../../lib/core/mod.ts";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { createServiceDiscoveryClient } from "../../../lib/services/service_discovery/mod.ts";
import { startV13Service } from "../v13_service.ts";

const OTHER = `02${"b".repeat(64)}`;

Deno.test("A visor is listed and taken off by signed requests", async () => {
  using runtime = createDenoRuntime();
  using secret = generateSecretKey(runtime.random);
  const key = publicKeyOf(secret);
  await using discovery = await startV13Service(({ method }) => new Response(method === "DELETE" ? "true" : "{}"));
  const client = createServiceDiscoveryClient({ ...runtime, url: discovery.url, secret });
  await client.list(7777, { version: "0.2.0", addresses: ["198.51.100.1"] });
  await client.unlist(7777);
  const [listed, taken] = discovery.requests;
  assert.deepEqual([listed?.method, listed?.path, listed?.signer], ["POST", "/api/services", key]);
  assert.deepEqual(JSON.parse(listed?.body ?? ""), {
    address: `${key}:7777`,
    type: "visor",
    version: "0.2.0",
    local_ips: ["198.51.100.1"],
  });
  assert.deepEqual([taken?.method, taken?.path], ["DELETE", `/api/services/${key}:7777?type=visor`]);
});

Deno.test("Public visors are read, whatever else stands in the list", async () => {
  using runtime = createDenoRuntime();
  using secret = generateSecretKey(runtime.random);
  let body = `[{"address":"${OTHER}:7777","type":"visor","local_ips":null},{"address":"nobody:1"},{"address":3},7]`;
  await using discovery = await startV13Service(() => new Response(body));
  const client = createServiceDiscoveryClient({ ...runtime, url: discovery.url, secret });
  assert.deepEqual(await client.visors(), [OTHER]);
  assert.equal(discovery.requests[0]?.path, "/api/services?type=visor");
  body = "null";
  assert.deepEqual(await client.visors(), []);
  body = "{}";
  await assert.rejects(client.visors(), (error) => hasCode(error, "service-discovery/bad-answer"));
});

Deno.test("A refusal is told in the words of the service", async () => {
  using runtime = createDenoRuntime();
  using secret = generateSecretKey(runtime.random);
  await using discovery = await startV13Service(() =>
    new Response('{"error":"Forbidden: visor is unreachable"}', { status: 403 })
  );
  const client = createServiceDiscoveryClient({ ...runtime, url: discovery.url, secret });
  await assert.rejects(
    client.list(7777, { version: "0.2.0", addresses: [] }),
    (error: Error) => hasCode(error, "service-discovery/refused") && error.message.includes("visor is unreachable"),
  );
});
