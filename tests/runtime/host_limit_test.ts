import assert from "node:assert/strict";
import { HostLimit } from "../../lib/runtime/mod.ts";

Deno.test("HostLimit gives places in all and of one host, and takes each back once", () => {
  const limit = new HostLimit({ most: 3, perHost: 2 });
  const first = limit.take("192.0.2.1:1");
  assert.ok(first !== undefined && limit.take("192.0.2.1:2") !== undefined);
  assert.equal(limit.take("192.0.2.1:3"), undefined, "two of one host");
  assert.ok(limit.take("[2001:db8::1]:1") !== undefined);
  assert.equal(limit.take("192.0.2.9:1"), undefined, "three in all");
  first();
  first();
  assert.equal(limit.taken, 2);
  assert.ok(limit.take("192.0.2.1:4") !== undefined);
  assert.equal(limit.take("192.0.2.9:1"), undefined);
});
