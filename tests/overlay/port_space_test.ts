/** Ports of a visor: fixed and ephemeral ones (routing.md §8.6). */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { PortSpace } from "../../lib/overlay/port_space.ts";

Deno.test("PortSpace gives ephemeral ports from 49153 upwards, as v1.3 does", () => {
  const ports = new PortSpace<string>("route");
  assert.deepEqual([ports.acquire(), ports.acquire(), ports.acquire()], [49_153, 49_154, 49_155]);
});

Deno.test("PortSpace does not give a released port again before it went round", () => {
  const ports = new PortSpace<string>("route");
  const first = ports.acquire();
  ports.release(first);
  const seen = new Set(Array.from({ length: 65_536 - 49_152 - 1 }, () => {
    const port = ports.acquire();
    ports.release(port);
    return port;
  }));
  assert.ok(!seen.has(first));
  assert.ok(seen.has(49_152), "49152 comes after the wrap");
  assert.equal(ports.acquire(), first);
});

Deno.test("PortSpace skips ports in use and says when none is left", () => {
  const ports = new PortSpace<string>("route");
  ports.listen(49_154, "in the way");
  assert.deepEqual([ports.acquire(), ports.acquire()], [49_153, 49_155]);
  for (let i = 0; i < 65_536 - 49_152 - 3; i++) ports.acquire();
  assert.throws(() => ports.acquire(), (error) => hasCode(error, "route/ports-exhausted"));
  ports.release(50_000);
  assert.equal(ports.acquire(), 50_000);
});

Deno.test("PortSpace gives one port to one listener", () => {
  const ports = new PortSpace<string>("messaging");
  ports.listen(80, "web");
  assert.equal(ports.listener(80), "web");
  assert.throws(() => ports.listen(80, "other"), (error) => hasCode(error, "messaging/port-taken"));
  ports.unlisten(80, "other");
  assert.equal(ports.listener(80), "web");
  ports.unlisten(80, "web");
  assert.equal(ports.listener(80), undefined);
});

Deno.test("PortSpace refuses ports that do not exist", () => {
  const ports = new PortSpace<string>("messaging");
  for (const port of [0, -1, 65_536, 1.5, NaN]) assert.throws(() => ports.listen(port, "x"), RangeError);
});

Deno.test("PortSpace wraps behind the last port, leaving out what is in use", () => {
  const ports = new PortSpace<string>("messaging");
  ports.listen(49_154, "in the way");
  assert.equal(ports.acquire(), 49_153);
  assert.equal(ports.acquire(), 49_155);
  for (let port = 49_156; port <= 65_535; port++) assert.equal(ports.acquire(), port);
  assert.equal(ports.acquire(), 49_152);
  assert.throws(() => ports.acquire(), (error) => hasCode(error, "messaging/ports-exhausted"));
  ports.release(50_000);
  assert.equal(ports.acquire(), 50_000);
});
