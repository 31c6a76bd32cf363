/** Noise and the record layer through the WASM facade: every case of `noise.json`, and what the vectors do not say. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_NOISE_PAYLOAD_BYTES, NoiseHandshake, publicKeyOf, Records } from "../../lib/core/mod.ts";
import { ClosedError, hasCode, ProtocolError } from "../../lib/errors/mod.ts";
import { concatBytes, SecretKey } from "../../lib/types/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { openByNode, type PlainRecord, sealByNode } from "./node_cipher.ts";
import { hex, type VectorCase, vectorCases } from "./vectors.ts";
import { at } from "../../lib/types/at.ts";

type Role = "initiator" | "responder";
interface Opened {
  readonly accepted: boolean;
  readonly plaintext: string | null;
  readonly error: string | null;
}

const NO_KEY = new Uint8Array(32);
/** What v1.3 says when it refuses a counter. */
const V13_REPLAY = "is not larger than previous";

const checks: Record<string, (item: VectorCase) => void> = {
  handshake(item): void {
    using initiator = side(item, "initiator");
    using responder = side(item, "responder");
    assert.equal(initiator.hash.toHex(), item.h_initial);
    for (const message of item.messages as { from: Role; message: string; h_after: string }[]) {
      const [writer, reader] = message.from === "initiator" ? [initiator, responder] : [responder, initiator];
      assert.ok(!writer.complete && !reader.complete);
      assert.throws(() => reader.writeMessage(), refused("noise/message-order"));
      const written = writer.writeMessage();
      assert.equal(written.toHex(), message.message);
      reader.readMessage(written);
      assert.equal(writer.hash.toHex(), message.h_after);
      assert.equal(reader.hash.toHex(), message.h_after);
    }
    assert.ok(initiator.complete && responder.complete);
    assert.equal(initiator.remoteKey, item.responder_static_public);
    assert.equal(responder.remoteKey, item.initiator_static_public);
    assert.deepEqual(
      [item.initiator_to_responder_key, item.responder_to_initiator_key],
      item.pattern === "XK" ? [item.k2, item.k1] : [item.k1, item.k2],
    );
    using left = initiator.intoRecords();
    using right = responder.intoRecords();
    const last = { initiator: 0n, responder: 0n };
    for (
      const record of item.records as {
        from: Role;
        counter: number;
        plaintext: string;
        sealed: string;
        framed: string;
      }[]
    ) {
      const fromInitiator = record.from === "initiator";
      const key = hex(fromInitiator ? item.initiator_to_responder_key : item.responder_to_initiator_key);
      // The counters jump, so the record is sealed by another's cipher; `stream_write` shows the sender's own.
      const counter = BigInt(`0x${record.sealed.slice(0, 16)}`);
      assert.equal(Number(counter), record.counter, "as exact as JSON numbers are");
      assert.equal(sealByNode(key, { counter, plaintext: hex(record.plaintext) }).toHex(), record.sealed);
      if (counter === last[record.from] + 1n) {
        const receiver = fromInitiator ? right : left;
        receiver.push(hex(record.framed));
        assert.equal(readAll(receiver).toHex(), record.plaintext);
        last[record.from] = counter;
      } else {
        // v1.3 takes it, though records before it are missing.
        using fresh = Records.ofKeys({ send: NO_KEY, receive: key });
        assert.throws(() => fresh.push(hex(record.framed)), refused("record/gap"));
      }
    }
  },
  handshake_message(item): void {
    using initiator = side(item, "initiator");
    using responder = side(item, "responder");
    for (const [index, good] of (item.good_messages as string[]).entries()) {
      const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const written = writer.writeMessage();
      assert.equal(written.toHex(), good);
      reader.readMessage(written);
    }
    const reader = item.reader === "initiator" ? initiator : responder;
    const read = (): Uint8Array => reader.readMessage(hex(item.received));
    if (item.accepted) return void read();
    assert.throws(read, ProtocolError);
    assert.throws(read, refused("noise/message-order"), "a fault is permanent");
  },
  /**
   * Three rules differ from v1.3 on purpose. A stream takes the next counter only. Its counter moves after authentication,
   * but here every fault of a stream is permanent anyway. Session objects are refused when their counter is 0 or was
   * opened before.
   */
  record_sequence(item): void {
    const keys = { send: NO_KEY, receive: hex(item.receive_key) };
    using objects = Records.ofKeys(keys);
    using stream = Records.ofKeys(keys);
    const seen = new Set<string>(["0000000000000000"]);
    let broken = false;
    let due = 1n;
    for (const record of item.records as { sealed: string; stream: Opened; session_object: Opened }[]) {
      const counter = record.sealed.slice(0, 16);
      const sealed = hex(record.sealed);
      if (record.session_object.accepted && !seen.has(counter)) {
        assert.equal(objects.openObject(sealed).toHex(), record.session_object.plaintext);
        seen.add(counter);
      } else assert.throws(() => objects.openObject(sealed), ProtocolError);

      const prefix = new Uint8Array([sealed.length >> 8, sealed.length & 255]);
      broken ||= !record.stream.accepted || BigInt(`0x${counter}`) !== due;
      due++;
      if (broken) assert.throws(() => stream.push(concatBytes(prefix, sealed)), ProtocolError);
      else {
        stream.push(concatBytes(prefix, sealed));
        assert.equal(readAll(stream).toHex(), record.stream.plaintext);
      }
      if (record.stream.error?.includes(V13_REPLAY)) assert.ok(broken);
    }
  },
  stream_read(item): void {
    let stream = hex(item.stream);
    const whole = withoutGap(stream, hex(item.receive_key));
    if (whole !== undefined) {
      // v1.3 reads it, though a record is missing; the rest of the vector is shown with counters that follow each other.
      using records = Records.ofKeys({ send: NO_KEY, receive: hex(item.receive_key) });
      assert.throws(() => records.push(stream), refused("record/gap"));
      stream = whole;
    }
    const reads = item.reads as { data: string | null; error: string | null }[];
    const expected = reads.filter((read) => read.error === null).map((read) => read.data).join("");
    const endsInFault = at(reads, -1).error !== "EOF";
    for (const split of [stream.length, 1, 7]) {
      using records = Records.ofKeys({ send: NO_KEY, receive: hex(item.receive_key) });
      const push = (): void => {
        for (let at = 0; at < stream.length; at += split) records.push(stream.subarray(at, at + split));
      };
      if (endsInFault) {
        assert.throws(push, ProtocolError);
        assert.throws(() => records.push(stream), ProtocolError, "permanent");
      } else push();
      assert.equal(readAll(records, item.read_size as number).toHex(), expected);
    }
  },
  stream_write(item): void {
    assert.equal(item.first_counter, 1, "a fresh sender");
    using records = Records.ofKeys({ send: hex(item.send_key), receive: NO_KEY });
    assert.equal(records.seal(hex(item.plaintext)).toHex(), (item.writes as string[]).join(""));
  },
};

/** The frames of a stream sealed again with counters from 1 on, where theirs rise with a gap. */
function withoutGap(stream: Uint8Array, key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const frames: PlainRecord[] = [];
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
  for (let from = 0; from + 2 <= stream.length;) {
    const end = from + 2 + view.getUint16(from);
    if (end - from < 26 || end > stream.length) return undefined;
    try {
      frames.push(openByNode(key, stream.subarray(from + 2, end)));
    } catch {
      return undefined;
    }
    from = end;
  }
  const rises = frames.every(({ counter }, i) => i === 0 || counter > at(frames, i - 1).counter);
  if (!rises || frames.every(({ counter }, i) => counter === BigInt(i + 1))) return undefined;
  return concatBytes(...frames.flatMap(({ plaintext }, i) => {
    const sealed = sealByNode(key, { counter: BigInt(i + 1), plaintext });
    return [new Uint8Array([sealed.length >> 8, sealed.length & 255]), sealed];
  }));
}

Deno.test("noise: every vector holds through the core", async (t) => {
  for (const item of vectorCases("noise.json")) {
    const check = checks[item.kind];
    assert.ok(check, `${item.name}: unknown kind ${item.kind}`);
    await t.step(item.name, () => check(item));
  }
});

Deno.test("NoiseHandshake wants the remote key exactly where the pattern knows it beforehand", () => {
  using localSecret = secretOf(1);
  using remoteSecret = secretOf(2);
  const remoteKey = publicKeyOf(remoteSecret);
  const ephemeral = new Uint8Array(32).fill(3);
  const begin = (pattern: "XK" | "KK", role: Role, key?: PublicKey): void => {
    new NoiseHandshake({ pattern, role, localSecret, ephemeral, ...(key && { remoteKey: key }) })[Symbol.dispose]();
  };
  begin("XK", "responder");
  assert.throws(() => begin("XK", "responder", remoteKey), TypeError);
  for (const [pattern, role] of [["XK", "initiator"], ["KK", "initiator"], ["KK", "responder"]] as const) {
    begin(pattern, role, remoteKey);
    assert.throws(() => begin(pattern, role), TypeError);
    assert.throws(() => begin(pattern, role, "02".padEnd(66, "f") as PublicKey), refused("noise/public-key"));
  }
});

Deno.test("NoiseHandshake refuses an ephemeral or static key that is no scalar", () => {
  using zero = new SecretKey(new Uint8Array(32));
  using good = secretOf(1);
  const options = { pattern: "XK", role: "responder" } as const;
  const one = new Uint8Array(32).fill(1);
  assert.throws(() => new NoiseHandshake({ ...options, localSecret: zero, ephemeral: one }), RangeError);
  assert.throws(() => new NoiseHandshake({ ...options, localSecret: good, ephemeral: new Uint8Array(32) }), RangeError);
  assert.throws(() => new NoiseHandshake({ ...options, localSecret: good, ephemeral: new Uint8Array(31) }), RangeError);
});

Deno.test("NoiseHandshake gives no records and no unknown key before its end, and nothing after it", () => {
  const [initiator, responder] = pair();
  assert.throws(() => initiator.intoRecords(), refused("noise/message-order"));
  assert.throws(() => responder.remoteKey, refused("noise/message-order"));
  responder.readMessage(initiator.writeMessage());
  initiator.readMessage(responder.writeMessage());
  responder.readMessage(initiator.writeMessage());
  assert.throws(() => initiator.writeMessage(), refused("noise/message-order"));
  using left = initiator.intoRecords();
  using right = responder.intoRecords();
  assert.throws(() => initiator.intoRecords(), ClosedError);
  assert.throws(() => responder.complete, ClosedError);
  right.push(left.seal(new Uint8Array([1, 2, 3])));
  assert.deepEqual(readAll(right), new Uint8Array([1, 2, 3]));
  left.push(right.seal(new Uint8Array([4])));
  assert.deepEqual(readAll(left), new Uint8Array([4]));
});

Deno.test("NoiseHandshake refuses whatever is no message of this handshake, and is unusable from then on", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 49 * 8 - 1 })), (input) => {
      const [initiator, responder] = pair();
      using _ = initiator;
      using reader = responder;
      const message = typeof input === "number" ? initiator.writeMessage() : input;
      if (typeof input === "number") message[input >> 3] = at(message, input >> 3) ^ 1 << (input & 7);
      assert.throws(() => reader.readMessage(message), ProtocolError);
      assert.throws(() => reader.readMessage(message), refused("noise/message-order"));
      assert.throws(() => reader.intoRecords(), refused("noise/message-order"));
    }),
  );
});

Deno.test("NoiseHandshake carries payloads both ways, and gives keys that open each other's records", () => {
  for (const size of [0, 1, 64, 1_024, MAX_NOISE_PAYLOAD_BYTES]) {
    const [initiator, responder] = pair("KK");
    const [question, answer] = [payloadOf(size, 7), payloadOf(size, 99)];
    const first = initiator.writeMessage(question);
    assert.equal(first.length, size + 49);
    assert.deepEqual(responder.readMessage(first), question);
    assert.deepEqual(initiator.readMessage(responder.writeMessage(answer)), answer);
    using left = initiator.intoRecords();
    using right = responder.intoRecords();
    right.push(left.seal(question.slice(0, 10)));
    assert.deepEqual(readAll(right), question.slice(0, 10));
  }
});

Deno.test("NoiseHandshake refuses a changed payload", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (payload, position) => {
      const [initiator, responder] = pair("KK");
      using writer = initiator;
      using reader = responder;
      const message = writer.writeMessage(payload);
      const bit = position % (8 * (payload.length + 16));
      const changed = 33 + (bit >> 3);
      message[changed] = at(message, changed) ^ 1 << (bit & 7);
      assert.throws(() => reader.readMessage(message), refused("noise/authentication"));
      assert.throws(() => reader.writeMessage(payload), refused("noise/message-order"));
    }),
  );
});

Deno.test("writeMessage() refuses a payload that fits no frame, and its message stays due", () => {
  const longest = payloadOf(MAX_NOISE_PAYLOAD_BYTES, 1);
  const [initiator, responder] = pair("XK");
  using writer = initiator;
  using reader = responder;
  for (const size of [MAX_NOISE_PAYLOAD_BYTES + 1, 70_000, 200_000]) {
    assert.throws(() => writer.writeMessage(new Uint8Array(size)), RangeError);
  }
  assert.deepEqual(reader.readMessage(writer.writeMessage(longest)), longest);
  assert.deepEqual(writer.readMessage(reader.writeMessage(longest)), longest);
  const besideKey = longest.slice(16);
  assert.throws(() => writer.writeMessage(longest.slice(15)), RangeError);
  assert.deepEqual(reader.readMessage(writer.writeMessage(besideKey)), besideKey);
  assert.ok(writer.complete && reader.complete);
});

Deno.test("readMessage() refuses a message with more behind it, and one of more than 65,535 bytes", () => {
  for (
    const [size, code] of [[50, "authentication"], [65_535, "authentication"], [65_536, "message-length"]] as const
  ) {
    const [initiator, responder] = pair("KK");
    using writer = initiator;
    using reader = responder;
    const message = new Uint8Array(size);
    message.set(writer.writeMessage());
    assert.throws(() => reader.readMessage(message), refused(`noise/${code}`));
  }
});

function pair(pattern: "XK" | "KK" = "XK"): [NoiseHandshake, NoiseHandshake] {
  using a = secretOf(1);
  using b = secretOf(2);
  return [
    new NoiseHandshake({
      pattern,
      role: "initiator",
      localSecret: a,
      remoteKey: publicKeyOf(b),
      ephemeral: new Uint8Array(32).fill(3),
    }),
    new NoiseHandshake({
      pattern,
      role: "responder",
      localSecret: b,
      ...(pattern === "KK" && { remoteKey: publicKeyOf(a) }),
      ephemeral: new Uint8Array(32).fill(4),
    }),
  ];
}

function payloadOf(size: number, factor: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i * factor + Math.trunc(i / 251));
}

function side(item: VectorCase, role: Role): NoiseHandshake {
  using localSecret = new SecretKey(hex(item[`${role}_static_secret`]));
  const pattern = item.pattern as "XK" | "KK";
  const other = role === "initiator" ? "responder" : "initiator";
  const knows = pattern === "KK" || role === "initiator";
  return new NoiseHandshake({
    pattern,
    role,
    localSecret,
    ...(knows && { remoteKey: item[`${other}_static_public`] as PublicKey }),
    ephemeral: hex(item[`${role}_ephemeral_secret`]),
  });
}

function secretOf(byte: number): SecretKey {
  return new SecretKey(new Uint8Array(32).fill(byte));
}

function readAll(records: Records, size: number = 4096): Uint8Array {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(size);
  for (let count = records.read(buffer); count > 0; count = records.read(buffer)) parts.push(buffer.slice(0, count));
  return concatBytes(...parts);
}

function refused(code: string): (error: unknown) => boolean {
  return (error) => hasCode(error, code);
}
