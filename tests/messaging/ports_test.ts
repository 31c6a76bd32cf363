import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { PortTable } from "../../lib/messaging/ports.ts";

Deno.test("PortTable gives one port to one listener", () => {
  const ports = new PortTable<string>();
  ports.listen(80, "web");
  assert.equal(ports.listener(80), "web");
  assert.throws(() => ports.listen(80, "other"), (error) => hasCode(error, "messaging/port-taken"));
  ports.unlisten(80, "other");
  assert.equal(ports.listener(80), "web");
  ports.unlisten(80, "web");
  assert.equal(ports.listener(80), undefined);
});

Deno.test("PortTable refuses ports that do not exist", () => {
  const ports = new PortTable<string>();
  for (const port of [0, -1, 65_536, 1.5, NaN]) assert.throws(() => ports.listen(port, "x"), RangeError);
});

Deno.test("PortTable counts ephemeral ports from 49153 and wraps, leaving out what is in use", () => {
  const ports = new PortTable<string>();
  ports.listen(49_154, "in the way");
  assert.equal(ports.acquire(), 49_153);
  assert.equal(ports.acquire(), 49_155);
  for (let port = 49_156; port <= 65_535; port++) assert.equal(ports.acquire(), port);
  assert.equal(ports.acquire(), 49_152);
  assert.throws(() => ports.acquire(), (error) => hasCode(error, "messaging/ports-exhausted"));
  ports.release(50_000);
  assert.equal(ports.acquire(), 50_000);
});
