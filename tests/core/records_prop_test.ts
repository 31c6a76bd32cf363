/** Properties of the record layer: any split, any change, any order. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_OBJECT_PLAINTEXT_BYTES, MAX_RECORD_PLAINTEXT_BYTES, Records } from "../../lib/core/mod.ts";
import { ClosedError, hasCode, ProtocolError } from "../../lib/errors/mod.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import { at } from "../../lib/types/at.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);

/** Lengths with the border of a frame among them. */
const length = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: MAX_RECORD_PLAINTEXT_BYTES - 2, max: MAX_RECORD_PLAINTEXT_BYTES + 2 }),
  fc.constant(200_000),
);
const writes = fc.array(length, { maxLength: 6 });
const splits = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 20 });

function makePair(): { sender: Records; receiver: Records } & Disposable {
  const sender = Records.ofKeys({ send: KEY, receive: OTHER });
  const receiver = Records.ofKeys({ send: OTHER, receive: KEY });
  return {
    sender,
    receiver,
    [Symbol.dispose](): void {
      sender[Symbol.dispose]();
      receiver[Symbol.dispose]();
    },
  };
}

Deno.test("Records: what was sealed in any writes arrives in any splits, byte for byte", () => {
  fc.assert(
    fc.property(writes, splits, (lengths, cuts) => {
      using pair = makePair();
      const plaintext = lengths.map((count, write) => new Uint8Array(count).fill(write + 1));
      const stream = concatBytes(...plaintext.map((bytes) => pair.sender.seal(bytes)));
      const received = new Uint8Array(stream.length);
      let length = 0;
      for (let start = 0, cut = 0; start < stream.length; cut++) {
        const end = start + at(cuts, cut % cuts.length);
        pair.receiver.push(stream.subarray(start, end));
        const available = pair.receiver.available;
        assert.equal(pair.receiver.read(received.subarray(length)), available);
        length += available;
        start = end;
      }
      assert.deepEqual(received.subarray(0, length), concatBytes(...plaintext));
    }),
    { numRuns: 40 },
  );
});

Deno.test("Records: one changed bit is refused for good, and what came before it stays readable", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (lengths, seed) => {
        using pair = makePair();
        const frames = lengths.map((count) => pair.sender.seal(new Uint8Array(count).fill(count)));
        const stream = concatBytes(...frames);
        const bit = seed % (stream.length * 8);
        stream[bit >> 3] = at(stream, bit >> 3) ^ 0x80 >> (bit & 7);
        // A longer prefix swallows what follows, so more bytes are needed before the fault shows.
        const push = (): void => pair.receiver.push(concatBytes(stream, new Uint8Array(4096)));
        assert.throws(push, ProtocolError);
        assert.throws(() => pair.receiver.push(new Uint8Array(1)), ProtocolError);

        let whole = 0;
        for (let end = at(frames, 0).length; end <= bit >> 3; end += frames[whole]?.length ?? Infinity) whole++;
        const into = new Uint8Array(1000);
        const expected = concatBytes(...lengths.slice(0, whole).map((count) => new Uint8Array(count).fill(count)));
        assert.deepEqual(into.subarray(0, pair.receiver.read(into)), expected);
      },
    ),
  );
});

Deno.test("Records: a stream cut anywhere gives the whole frames before the cut, and no fault", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (lengths, seed) => {
        using pair = makePair();
        const frames = lengths.map((count) => pair.sender.seal(new Uint8Array(count)));
        const stream = concatBytes(...frames);
        const cut = seed % (stream.length + 1);
        pair.receiver.push(stream.subarray(0, cut));
        let [end, expected] = [0, 0];
        for (const [index, frame] of frames.entries()) {
          end += frame.length;
          if (end <= cut) expected += at(lengths, index);
        }
        assert.equal(pair.receiver.available, expected);
      },
    ),
  );
});

Deno.test("Records: arbitrary bytes never do more than throw a ProtocolError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    using pair = makePair();
    try {
      pair.receiver.push(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError);
    }
    assert.equal(pair.receiver.available, 0);
    assert.throws(() => pair.receiver.openObject(bytes), ProtocolError);
  }));
});

Deno.test("Records: session objects open in any order, each once", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...Array(40).keys()], { minLength: 40 }), (order) => {
      using pair = makePair();
      const objects = order.map((_, index) => pair.sender.sealObject(new Uint8Array([index])));
      for (const index of order) {
        const sealed = at(objects, index).subarray(2);
        assert.deepEqual(pair.receiver.openObject(sealed), new Uint8Array([index]));
        assert.throws(() => pair.receiver.openObject(sealed), replayed);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("Records: an object 1024 counters behind the newest is refused, one 1023 behind is not", () => {
  using pair = makePair();
  const objects = Array.from({ length: 1025 }, () => pair.sender.sealObject(new Uint8Array()).slice(2));
  pair.receiver.openObject(at(objects, 1024));
  assert.throws(() => pair.receiver.openObject(at(objects, 0)), replayed);
  assert.deepEqual(pair.receiver.openObject(at(objects, 1)), new Uint8Array());
});

Deno.test("Records: an object may have 65511 bytes, and a forged one changes nothing", () => {
  using pair = makePair();
  const plaintext = new Uint8Array(MAX_OBJECT_PLAINTEXT_BYTES).map((_, at) => at);
  const sealed = pair.sender.sealObject(plaintext);
  assert.equal(sealed.length, 65_537);
  assert.deepEqual([sealed[0], sealed[1]], [0xff, 0xff]);
  const forged = sealed.slice(2);
  forged[100] = at(forged, 100) ^ 1;
  assert.throws(() => pair.receiver.openObject(forged), ProtocolError);
  assert.deepEqual(pair.receiver.openObject(sealed.subarray(2)), plaintext);
  assert.throws(() => pair.sender.sealObject(new Uint8Array(MAX_OBJECT_PLAINTEXT_BYTES + 1)), RangeError);
  assert.throws(() => pair.receiver.openObject(new Uint8Array(65_536)), ProtocolError);
});

Deno.test("Records: after dispose or take, every use is a ClosedError", () => {
  const disposed = Records.ofKeys({ send: KEY, receive: OTHER });
  disposed[Symbol.dispose]();
  assert.throws(() => disposed.push(new Uint8Array(1)), ClosedError);
  assert.throws(() => disposed.take(), ClosedError);
  const taken = Records.ofKeys({ send: KEY, receive: OTHER });
  assert.ok(taken.take() !== 0);
  assert.throws(() => taken.seal(new Uint8Array(1)), ClosedError);
  taken[Symbol.dispose]();
});

function replayed(error: unknown): boolean {
  return hasCode(error, "record/replay");
}
