import assert from "node:assert/strict";
import { generateSecretKey, publicKeyOf } from "../../../lib/core/mod.ts";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { createUptimeReport } from "../../../lib/services/uptime_tracker/mod.ts";
import { startV13Service } from "../v13_service.ts";

Deno.test("A report is signed and names the version; another answer than 200 is a failure", async () => {
  using runtime = createDenoRuntime();
  using secret = generateSecretKey(runtime.random);
  let status = 200;
  await using tracker = await startV13Service(() => new Response("", { status }));
  const report = createUptimeReport({ ...runtime, url: tracker.url, secret });
  await report("0.2.0");
  await report("0.2.0");
  const asked = { method: "GET", path: "/v4/update?version=0.2.0", signer: publicKeyOf(secret), body: "" };
  assert.deepEqual(tracker.requests, [asked, asked]);
  status = 410;
  await assert.rejects(report("0.2.0"), (error) => hasCode(error, "uptime-tracker/failed"));
});
