import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256 } from "../../lib/core/mod.ts";
import { parseHex, SecretKey } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import {
  decodeFrame1,
  decodeFrame2,
  decodeFrame3,
  encodeFrame1,
  encodeFrame2,
  encodeFrame3,
  type Frame2,
  FRAME_0,
  MAX_FRAME_BYTES,
  NOT_LISTENING_MESSAGE,
  signedTextOfFrame2,
  signFrame2,
  takeJsonLine,
  verifyFrame2,
} from "../../lib/wire/stcp_frames.ts";
import { testVectors, type VectorCase } from "./vectors.ts";

testVectors("stcp_handshake.json", {
  frame2(data): void {
    const frame: Frame2 = {
      source: { publicKey: data.pk, port: data.source_port },
      destination: { publicKey: data.destination_pk, port: data.destination_port },
      nonce: parseHex(data.nonce),
      signature: data.signature,
    };
    assert.equal(signedTextOfFrame2(frame), data.signed_text);
    assert.equal(sha256(new TextEncoder().encode(data.signed_text)).toHex(), data.digest);
    assert.ok(verifyFrame2(frame));
    assert.equal(text(encodeFrame2(frame)), data.frame);
    assert.deepEqual(decodeFrame2(data.frame), frame);
    const ours = signFrame2(frame, new SecretKey(parseHex(data.sk)));
    assert.ok(verifyFrame2(ours));
  },
  // The exchange as a whole runs over the real link code; here its frames run through the codecs.
  full: checkWire,
  responder: checkWire,
  initiator: checkWire,
});

/** Every F1, F2 and F3 on the wire decodes, and is what we would have written where Go wrote it. */
function checkWire(data: VectorCase): void {
  const sent = { initiator: new Array<Uint8Array>(), responder: new Array<Uint8Array>() };
  for (const write of data.wire) {
    if (write.stage === "plain") sent[write.from as "initiator" | "responder"].push(parseHex(write.bytes));
  }
  const fromInitiator = text(join(sent.initiator));
  if (!fromInitiator.startsWith(text(FRAME_0))) {
    assert.equal(data.accepted, false);
    return;
  }
  const answers = linesOf(join(sent.responder));
  const nonce = answers[0] === undefined ? undefined : decodeFrame1(answers[0]);
  const frame2 = linesOf(join(sent.initiator).subarray(FRAME_0.length)).map(decodeFrame2)[0];
  const frame3 = answers[1] === undefined ? undefined : decodeFrame3(answers[1]);
  const good = nonce instanceof Uint8Array && frame2 !== undefined && !(frame2 instanceof Fault) &&
    equal(frame2.nonce, nonce) && verifyFrame2(frame2) && frame3 !== undefined && !(frame3 instanceof Fault) &&
    frame3.ok;
  assert.equal(good, data.accepted ?? true, data.error);
  if (data.kind === "initiator") return;
  if (nonce instanceof Uint8Array) assert.equal(`${answers[0]}\n`, text(encodeFrame1(nonce)));
  if (frame3 !== undefined && !(frame3 instanceof Fault)) assert.equal(`${answers[1]}\n`, text(encodeFrame3(frame3)));
}

Deno.test("takeJsonLine() takes one document and its newline, whatever the split and whatever follows", () => {
  const frame = encodeFrame3({ ok: false, errorMessage: `}"\\{ ${NOT_LISTENING_MESSAGE}` });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (rest) => {
    const all = join([frame, rest]);
    for (let length = 0; length < frame.length - 1; length++) {
      assert.equal(takeJsonLine(all.subarray(0, length)), undefined);
    }
    const early = takeJsonLine(all.subarray(0, frame.length - 1));
    assert.ok(early !== undefined && !(early instanceof Fault) && !early.newline && early.used === frame.length - 1);
    const whole = takeJsonLine(all);
    assert.ok(whole !== undefined && !(whole instanceof Fault) && whole.newline && whole.used === frame.length);
    assert.deepEqual(decodeFrame3(whole.text), { ok: false, errorMessage: `}"\\{ ${NOT_LISTENING_MESSAGE}` });
  }));
});

Deno.test("takeJsonLine() refuses what cannot become a frame", () => {
  assert.ok(takeJsonLine(new TextEncoder().encode("hello")) instanceof Fault);
  assert.ok(takeJsonLine(new Uint8Array(MAX_FRAME_BYTES + 1).fill(0x7b)) instanceof Fault);
  assert.ok(takeJsonLine(new Uint8Array(MAX_FRAME_BYTES + 1).fill(0x20)) instanceof Fault);
  assert.equal(takeJsonLine(new Uint8Array()), undefined);
});

Deno.test("decodeFrame1() fills a short nonce with zeros and refuses numbers that are no bytes", () => {
  assert.deepEqual(decodeFrame1('{"nonce":[1,2,3]}'), new Uint8Array([1, 2, 3, ...new Array(13).fill(0)]));
  for (const list of ["[256]", "[-1]", "[1.0]", "[1e1]", '"AAAA"', '["1"]']) {
    assert.ok(decodeFrame1(`{"Nonce":${list}}`) instanceof Fault, list);
  }
});

Deno.test("the frame decoders survive any text", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (any) => {
    decodeFrame1(any);
    decodeFrame2(any);
    decodeFrame3(any);
  }));
});

function linesOf(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = takeJsonLine(bytes.subarray(at));
    if (line === undefined || line instanceof Fault) break;
    lines.push(line.text);
    at += line.used;
  }
  return lines;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.toHex() === b.toHex();
}
