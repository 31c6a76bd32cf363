import assert from "node:assert/strict";
import { encodePacket, Records, sha256, type Switch } from "../../lib/core/mod.ts";
import { BugError, ClosedError, ProtocolError, UnavailableError } from "../../lib/errors/mod.ts";
import type { MonotonicMs, RouteId } from "../../lib/types/mod.ts";
import { KEEP_ALIVE_NS, type LineEnd, SwitchLine, transportIdAt } from "./switch_line.ts";
import { at } from "../../lib/types/at.ts";

/** Bytes that differ everywhere. */
function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function readAll({ core, group }: LineEnd, now: MonotonicMs): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(8 * 1024 * 1024);
  return buffer.slice(0, core.read(group, buffer, now));
}

Deno.test("Switch: five megabytes pass three hops in both directions at once, after a handshake", () => {
  using line = new SwitchLine(4);
  const [first, last] = line.connect();
  const length = 5 * 1024 * 1024;
  const ways = [
    { from: first, to: last, sent: pattern(length, 1), done: 0, got: new Uint8Array(length), count: 0 },
    { from: last, to: first, sent: pattern(length, 2), done: 0, got: new Uint8Array(length), count: 0 },
  ];
  for (let rounds = 0; ways.some(({ count }) => count < length); rounds++) {
    assert.ok(rounds < 1000, "Nothing moves");
    for (const way of ways) {
      way.done += way.from.core.write(way.from.group, way.sent.subarray(way.done), line.now);
      line.settle();
      way.count += way.to.core.read(way.to.group, way.got.subarray(way.count), line.now);
    }
  }
  for (const { from, sent, got } of ways) {
    assert.deepEqual(sha256(got), sha256(sent));
    assert.ok(from.core.groupStats(from.group).sentBytes > length);
    assert.ok(from.core.groupStats(from.group).receivedBytes > length);
  }
  const stats = at(line.switches, 1).linkStats(at(line.links, 0)[1]);
  assert.ok(stats.receivedBytes > length && stats.sentBytes > length && stats.sentPackets > length / 4096);
  assert.equal(at(line.switches, 1).counters().unknownRoute, 0);
});

Deno.test("Switch: what is told of a connection, from the Handshake packet to the Close", () => {
  using line = new SwitchLine(3);
  const [first, last] = line.connect();
  assert.deepEqual(line.takeEvents(last.core), [
    { type: "group-handshake", group: last.group, encrypt: true },
    { type: "group-frame", group: last.group },
  ]);
  assert.equal(first.core.write(first.group, new TextEncoder().encode("hello"), line.now), 5);
  line.settle();
  assert.deepEqual(line.takeEvents(last.core), [{ type: "group-readable", group: last.group }]);

  first.core.closeGroup(first.group, "kein Zuhörer", line.now);
  line.settle();
  assert.deepEqual(line.takeEvents(first.core).at(-1), {
    type: "group-closed",
    group: first.group,
    reason: "local",
  });
  assert.deepEqual(line.takeEvents(last.core), [
    { type: "group-closed", group: last.group, reason: "remote", message: "kein Zuhörer" },
  ]);
  assert.equal(new TextDecoder().decode(readAll(last, line.now)), "hello");
  assert.throws(
    () => first.core.write(first.group, new Uint8Array(1), line.now),
    (error) => error instanceof ClosedError && error.code === "switch/group-closed",
  );
  for (const core of line.switches) assert.deepEqual(core.rules(line.now), []);
});

Deno.test("readMessage() keeps the borders of writes, read() does not", () => {
  using line = new SwitchLine(2);
  const [first, last] = line.connect();
  const writes = [1, 4070, 17, 4071].map((length, i) => pattern(length, i + 1));
  for (const bytes of writes) assert.equal(first.core.write(first.group, bytes, line.now), bytes.length);
  line.settle();
  assert.deepEqual(last.core.readMessage(last.group, line.now), writes[0]);
  assert.deepEqual(last.core.readMessage(last.group, line.now), writes[1]);
  const part = new Uint8Array(10);
  assert.equal(last.core.read(last.group, part, line.now), 10);
  assert.deepEqual(part, at(writes, 2).slice(0, 10));
  assert.deepEqual(last.core.readMessage(last.group, line.now), at(writes, 2).slice(10), "the rest of a record begun");
  assert.deepEqual(readAll(last, line.now), writes[3]);
  assert.equal(last.core.readMessage(last.group, line.now), undefined);
});

Deno.test("write() takes what the link has room for, and says when there is more", () => {
  using line = new SwitchLine(2);
  const [first, last] = line.connect();
  line.takeEvents(first.core);
  const bytes = pattern(3 * 1024 * 1024, 7);
  const taken = first.core.write(first.group, bytes, line.now);
  assert.ok(taken > 0 && taken < 1024 * 1024, `${taken} bytes were taken`);
  assert.equal(taken % 4070, 0, "whole records");
  assert.equal(first.core.write(first.group, bytes.subarray(taken), line.now), 0);
  assert.equal(first.core.pollDirtyLink(), at(line.links, 0)[0]);
  line.settle();
  assert.deepEqual(line.takeEvents(first.core), [{ type: "group-writable", group: first.group }]);
  assert.deepEqual(readAll(last, line.now), bytes.slice(0, taken));
});

Deno.test("ping() comes back as an event with its timestamp, and gives the latency", () => {
  using line = new SwitchLine(3);
  const [first] = line.connect();
  line.takeEvents(first.core);
  assert.equal(first.core.groupStats(first.group).latencyMs, undefined);
  const timestamps = [first.core.ping(first.group, line.now), first.core.ping(first.group, line.now)];
  line.settle();
  const events = line.takeEvents(first.core);
  assert.deepEqual(events, timestamps.map((timestamp) => ({ type: "pong", group: first.group, timestamp })));
  assert.notEqual(timestamps[0], timestamps[1]);
  assert.equal(first.core.groupStats(first.group).latencyMs, 0);
});

Deno.test("sendTransportPing() comes back as an event with its 64 bits", () => {
  using line = new SwitchLine(2);
  const [core] = line.switches as [Switch, Switch];
  const link = at(line.links, 0)[0];
  core.sendTransportPing(link, 0xfedc_ba98_7654_3210n);
  line.settle();
  assert.deepEqual(line.takeEvents(core), [{ type: "transport-pong", link, value: 0xfedc_ba98_7654_3210n }]);
});

Deno.test("an idle connection outlives its keep-alive many times, and ends soon after it is cut", () => {
  using line = new SwitchLine(3);
  const [first, last] = line.connect();
  line.pass(300_000);
  line.takeEvents(first.core);
  line.takeEvents(last.core);
  assert.equal(at(line.switches, 1).rules(line.now).length, 2);
  at(line.switches, 1).removeLink(at(line.links, 1)[0], line.now);
  line.settle();
  const [closed] = line.takeEvents(first.core);
  assert.ok(closed?.type === "group-closed" && closed.reason === "remote");
  assert.match(closed.message ?? "", /transport/);
  // The other side of the link has not noticed: silence tells it.
  line.pass(10_000);
  assert.deepEqual(line.takeEvents(last.core), [{ type: "group-closed", group: last.group, reason: "silence" }]);
});

Deno.test("a link whose record was changed is at fault, and is not read any more", () => {
  using line = new SwitchLine(2);
  const [first] = line.connect();
  const [here, there] = at(line.links, 0);
  first.core.write(first.group, pattern(1000, 1), line.now);
  const output = first.core.outputView(here, line.now).slice();
  output[500] = at(output, 500) ^ 1;
  const core = at(line.switches, 1);
  core.readView(there).set(output);
  line.takeEvents(core);
  core.ingest(there, output.length, line.now);
  assert.deepEqual(line.takeEvents(core), [{ type: "link-fault", link: there, code: "record" }]);
  assert.equal(core.readView(there).length, 0);
});

Deno.test("rules() gives back what saveRule() was given, with its idle time", () => {
  using line = new SwitchLine(3);
  line.open();
  line.now = line.now + 250 as typeof line.now;
  const rules = at(line.switches, 1).rules(line.now);
  assert.deepEqual(rules.map(({ rule, idleMs }) => [rule.type, rule.keepAliveNs, idleMs]), [
    ["intermediary", KEEP_ALIVE_NS, 250],
    ["intermediary", KEEP_ALIVE_NS, 250],
  ]);
  const [first, last] = [at(line.switches, 0), at(line.switches, 2)];
  assert.deepEqual(first.rules(line.now).map(({ rule }) => rule.type).sort(), ["consume", "forward"]);
  assert.deepEqual(last.rules(line.now).map(({ rule }) => rule.type).sort(), ["consume", "forward"]);
});

Deno.test("deleteRules() ends the group of a consume rule", () => {
  using line = new SwitchLine(2);
  const [first] = line.connect();
  line.takeEvents(first.core);
  first.core.deleteRules([first.consume, 77 as RouteId], line.now);
  line.settle();
  assert.deepEqual(line.takeEvents(first.core), [{ type: "group-closed", group: first.group, reason: "expired" }]);
});

Deno.test("reserveRouteIds() hands out consecutive ids until they end", () => {
  using line = new SwitchLine(1);
  const core = at(line.switches, 0);
  const [a, b] = core.reserveRouteIds(2) as [RouteId, RouteId];
  assert.equal(b, a + 1);
  assert.deepEqual(core.reserveRouteIds(0), []);
  assert.deepEqual(core.reserveRouteIds(1), [b + 1]);
  assert.throws(
    () => core.reserveRouteIds(0xffff_ffff),
    (error) => error instanceof UnavailableError && error.code === "routing/ids-exhausted",
  );
});

Deno.test("malformed rules and groups without rules are refused", () => {
  using line = new SwitchLine(2);
  const [first] = line.open();
  const { core } = first;
  const rejects = (rule: Uint8Array, code: string): void =>
    assert.throws(
      () => core.saveRule(rule, line.now),
      (error) => error instanceof ProtocolError && error.code === code,
    );
  rejects(new Uint8Array(), "rule/length");
  rejects(new Uint8Array(82), "rule/length");
  rejects(new Uint8Array(120).fill(3), "rule/type");
  rejects(new Uint8Array(300_000).fill(3), "rule/type");
  const refuse = (forward: RouteId, consume: RouteId): void =>
    assert.throws(
      () => core.addGroup({ forward, consume }, line.now),
      (error) => error instanceof UnavailableError && error.code === "switch/no-rules",
    );
  refuse(first.forward, first.consume);
  refuse(first.consume, first.forward);
  refuse(9 as RouteId, 8 as RouteId);
});

Deno.test("a group without keys takes no plaintext", () => {
  using line = new SwitchLine(2);
  const [first, last] = line.open();
  assert.throws(() => first.core.write(first.group, new Uint8Array(1), line.now), ClosedError);
  assert.equal(last.core.readMessage(last.group, line.now), undefined);
  last.core.removeGroup(last.group, line.now);
  const records = Records.ofKeys({ send: new Uint8Array(32), receive: new Uint8Array(32) });
  assert.throws(() => last.core.secureGroup(last.group, records, line.now), ClosedError);
});

Deno.test("a link without records carries packets as they are, those read before it was added first", () => {
  using line = new SwitchLine(1);
  const core = at(line.switches, 0);
  const packet = encodePacket({ type: 0, routeId: 5 as RouteId, payload: new Uint8Array(3) });
  const early = packet.subarray(0, 4);
  const link = core.addLink({ transportId: transportIdAt(0), early }, line.now);
  core.readView(link).set(packet.subarray(4));
  core.ingest(link, packet.length - 4, line.now);
  assert.equal(core.counters().unknownRoute, 1);
  core.sendTransportPing(link, 1n);
  assert.deepEqual(
    core.outputView(link, line.now).slice(),
    encodePacket({ type: 8, routeId: 0 as RouteId, payload: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]) }),
  );
});

Deno.test("a disposed switch refuses every use, and disposing twice is harmless", () => {
  const line = new SwitchLine(2);
  const [core] = line.switches as [Switch, Switch];
  const link = at(line.links, 0)[0];
  line[Symbol.dispose]();
  line[Symbol.dispose]();
  assert.throws(() => core.readView(link), ClosedError);
  assert.throws(() => core.pollEvent(), ClosedError);
  assert.throws(() => core.handleDeadline(line.now), ClosedError);
});

Deno.test("figures of a link or group that was removed are a mistake of the caller", () => {
  using line = new SwitchLine(2);
  const [first] = line.connect();
  const link = at(line.links, 0)[0];
  first.core.removeGroup(first.group, line.now);
  first.core.removeLink(link, line.now);
  assert.throws(() => first.core.groupStats(first.group), BugError);
  assert.throws(() => first.core.linkStats(link), BugError);
  assert.equal(first.core.readView(link).length, 0);
});
