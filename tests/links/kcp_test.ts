/** KCP: the bytes of a v1.3 visor, and messages over a network that loses, repeats and reorders. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, monotonicMs } from "../../lib/types/mod.ts";
import { decodeKcpSegments, encodeKcpSegment, KCP_MESSAGE_BYTES, KcpSession } from "../../lib/links/kcp.ts";

/** transports.md §2.6, observed. */
const FIRST = "c6551c15" + "51" + "00" + "2000" + "26000000" + "00000000" + "00000000" + "09000000" +
  "6765745f6e6f6e6365";

const at = (ms: number): ReturnType<typeof monotonicMs> => monotonicMs(ms);
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const encode = (message: string): Uint8Array => new TextEncoder().encode(message);

Deno.test("decodeKcpSegments() reads what a v1.3 visor dials with, and encodeKcpSegment() writes it", () => {
  const [segment, ...more] = decodeKcpSegments(Uint8Array.fromHex(FIRST));
  assert.deepEqual(more, []);
  assert.equal(segment?.conv, 0x151c55c6);
  assert.equal(text(segment?.data), "get_nonce");
  assert.equal(encodeKcpSegment(segment!).toHex(), FIRST);
});

Deno.test("KcpSession takes that datagram, acknowledges it at once, and gives its message once", () => {
  const session = new KcpSession(0x151c55c6);
  for (let i = 0; i < 2; i++) session.handleDatagram(Uint8Array.fromHex(FIRST));
  assert.equal(text(session.read()), "get_nonce");
  assert.equal(session.read(), undefined);
  const acknowledged = "c6551c15" + "52" + "00" + "2000" + "26000000" + "00000000" + "01000000" + "00000000";
  assert.deepEqual(session.takeDatagrams(at(0)).map((bytes) => bytes.toHex()), [acknowledged, acknowledged]);
  assert.equal(session.pollDeadline(), undefined);
});

Deno.test("KcpSession sends again after 200 ms, then ever later, and gives up", () => {
  const session = new KcpSession(7);
  session.send(encode("hello"));
  const sentAt: number[] = [];
  for (let due: number | undefined = 0; due !== undefined; due = session.pollDeadline()) {
    if (session.takeDatagrams(at(due)).length > 0) sentAt.push(due);
  }
  assert.ok(session.isDead);
  assert.deepEqual(sentAt, [0, 200, 600, 1_400, 3_000]);
});

Deno.test("KcpSession answers who asks for its window, and joins the parts of a message", () => {
  const session = new KcpSession(7);
  const common = { conv: 7, window: 32, timestamp: 1, awaited: 0 };
  session.handleDatagram(
    encodeKcpSegment({ ...common, command: 83, fragment: 0, sequence: 0, data: new Uint8Array() }),
  );
  const [answer = new Uint8Array()] = session.takeDatagrams(at(0));
  assert.deepEqual(decodeKcpSegments(answer).map(({ command }) => command), [84]);
  for (const [sequence, fragment, data] of [[1, 0, "def"], [0, 1, "abc"]] as const) {
    session.handleDatagram(encodeKcpSegment({ ...common, command: 81, fragment, sequence, data: encode(data) }));
  }
  assert.equal(text(session.read()), "abcdef");
});

/** A segment with data. */
const push = (sequence: number, options: { fragment?: number; data?: Uint8Array } = {}): Uint8Array<ArrayBuffer> => {
  const { fragment = 0, data = encode("x") } = options;
  return encodeKcpSegment({ conv: 7, window: 32, timestamp: 1, awaited: 0, command: 81, fragment, sequence, data });
};

Deno.test("KcpSession takes no segment beyond its window, nor more messages than that unread", () => {
  const early = new KcpSession(7);
  for (let sequence = 1; sequence <= 40; sequence++) early.handleDatagram(push(sequence));
  assert.equal(early.takeDatagrams(at(0)).length, 31, "1 to 31 are acknowledged");
  const unread = new KcpSession(7);
  for (let sequence = 0; sequence < 40; sequence++) unread.handleDatagram(push(sequence));
  assert.equal(unread.takeDatagrams(at(0)).length, 32);
  let messages = 0;
  while (unread.read() !== undefined) messages++;
  assert.equal(messages, 32);
});

Deno.test("KcpSession gives up on a message that never ends", () => {
  const session = new KcpSession(7);
  const data = new Uint8Array(KCP_MESSAGE_BYTES);
  for (let sequence = 0; sequence < 32; sequence++) session.handleDatagram(push(sequence, { fragment: 1, data }));
  assert.ok(!session.isDead);
  session.handleDatagram(push(32, { fragment: 1 }));
  assert.ok(session.isDead);
});

Deno.test("decodeKcpSegments() reads nothing of a datagram longer than those of v1.3: each segment costs an answer", () => {
  const small = push(0, { data: new Uint8Array() });
  const datagram = (count: number): Uint8Array => concatBytes(...Array.from({ length: count }, () => small));
  assert.equal(decodeKcpSegments(datagram(58)).length, 58);
  assert.equal(decodeKcpSegments(datagram(59)).length, 0);
});

Deno.test("KcpSession survives any bytes", () => {
  const datagram = fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 80, max: 85 })).map(
    ([bytes, command]) => {
      if (bytes.length > 4) bytes.set([7, 0, 0, 0, command]);
      return bytes;
    },
  );
  fc.assert(fc.property(fc.array(datagram), (datagrams) => {
    const session = new KcpSession(7);
    for (const bytes of datagrams) session.handleDatagram(bytes);
    session.takeDatagrams(at(0));
  }));
});

Deno.test("messages of two sessions arrive in order over a network that loses, repeats and reorders", () => {
  const fate = fc.constantFrom("lost", "twice", "late", "whole", "whole", "whole");
  fc.assert(fc.property(fc.array(fc.nat(60), { maxLength: 40 }), fc.infiniteStream(fate), (sizes, fates) => {
    const [a, b] = [new KcpSession(9), new KcpSession(9)];
    const messages = sizes.map((size, i) => `${i}:${"x".repeat(size)}`);
    for (const message of messages) a.send(encode(message));
    const got: string[] = [];
    let late: (() => void)[] = [];
    // The network is mended in the end: a session gives up after five losses in a row.
    for (let now = 0, turn = 0; got.length < messages.length && now < 60_000; now += 100, turn++) {
      const arrived = late.splice(0);
      for (const [from, to] of [[a, b], [b, a]] as const) {
        for (const bytes of from.takeDatagrams(at(now))) {
          const what = turn % 7 === 6 ? "whole" : fates.next().value;
          const deliver = (): void => to.handleDatagram(bytes);
          if (what === "late") late.push(deliver);
          else if (what !== "lost") deliver();
          if (what === "twice") deliver();
        }
      }
      for (const deliver of arrived) deliver();
      for (let message = b.read(); message !== undefined; message = b.read()) got.push(text(message));
      if (a.isDead) return;
    }
    late = [];
    assert.deepEqual(got, messages);
  }));
});
