import assert from "node:assert/strict";
import fc from "fast-check";
import { at } from "../../lib/types/at.ts";
import { concatBytes, parseHex, sessionIdOf } from "../../lib/types/mod.ts";
import {
  encodeSessionPayload,
  parseSessionPayload,
  type SessionFeature,
  type SessionPayload,
  type SessionRefusal,
} from "../../lib/wire/session_payload.ts";
import { testVectors } from "./vectors.ts";

/** Members as they stand in the vectors. */
interface Members {
  readonly features?: readonly SessionFeature[];
  readonly session?: string;
  readonly leg?: number;
  readonly resume?: string;
  readonly window?: string;
  readonly refusal?: SessionRefusal;
}

/** In which they are written. */
const ORDER = ["features", "session", "leg", "resume", "window", "refusal"] as const;

/** All that an end may say, each member there or not. */
const offers: fc.Arbitrary<Partial<SessionPayload>> = fc.record({
  features: fc.constantFrom<ReadonlySet<SessionFeature>>(new Set(), new Set(["several-legs"])),
  session: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(sessionIdOf),
  leg: fc.nat(0xffff_ffff),
  resume: fc.bigInt(0n, 2n ** 64n - 1n),
  window: fc.bigInt(0n, 2n ** 64n - 1n),
  refusal: fc.constantFrom<SessionRefusal>("unknown-session", "session-in-use", "leg-used", "not-willing"),
}, { requiredKeys: [] });

const FRAMES = { elsewhere: "core-rs/session/tests/frame_vectors.rs" };

testVectors("session.json", {
  payload(data): void {
    assert.equal(encodeSessionPayload(offerOf(data.members)).toHex(), data.hex);
    assert.deepEqual(parseSessionPayload(parseHex(data.hex)), withDefaults(offerOf(data.members)));
  },
  payload_read(data): void {
    assert.deepEqual(parseSessionPayload(parseHex(data.hex)), withDefaults(offerOf(data.members)));
  },
  payload_none(data): void {
    assert.equal(parseSessionPayload(parseHex(data.hex)), undefined);
  },
  frame: FRAMES,
  frame_read: FRAMES,
  frame_refused: FRAMES,
  frame_of_size: FRAMES,
  conversation: FRAMES,
});

Deno.test("parseSessionPayload() gives back what encodeSessionPayload() was given", () => {
  fc.assert(fc.property(offers, (offer) => {
    assert.deepEqual(parseSessionPayload(encodeSessionPayload(offer)), withDefaults(offer));
  }));
});

Deno.test("encodeSessionPayload() writes at most 64 bytes, so never as many as a later upstream's keys have", () => {
  const largest = encodeSessionPayload({
    features: new Set(["several-legs"]),
    session: sessionIdOf(new Uint8Array(16).fill(255)),
    leg: 0xffff_ffff,
    resume: 2n ** 64n - 1n,
    window: 2n ** 64n - 1n,
    refusal: "not-willing",
  });
  assert.equal(largest.length, 64, "all members at once");
  fc.assert(fc.property(offers, (offer) => assert.ok(encodeSessionPayload(offer).length <= 64)));
});

Deno.test("encodeSessionPayload() refuses numbers out of their range", () => {
  for (const leg of [-1, 0.5, 2 ** 32]) assert.throws(() => encodeSessionPayload({ leg }), RangeError);
  for (const bytes of [-1n, 2n ** 64n]) {
    assert.throws(() => encodeSessionPayload({ resume: bytes }), RangeError);
    assert.throws(() => encodeSessionPayload({ window: bytes }), RangeError);
  }
});

Deno.test("parseSessionPayload() ignores unknown members wherever they stand", () => {
  const unknown = fc.record({
    kind: fc.constantFrom(0, ...Array.from({ length: 249 }, (_, i) => 7 + i)),
    value: fc.uint8Array({ maxLength: 300 }),
  });
  const unknowns = fc.uniqueArray(unknown, { maxLength: 4, selector: ({ kind }) => kind });
  fc.assert(fc.property(offers, unknowns, fc.nat(), (offer, strangers, order) => {
    const payload = encodeSessionPayload(offer);
    const members = membersIn(payload);
    for (const { kind, value } of strangers) {
      const member = concatBytes(Uint8Array.of(kind, value.length >> 8, value.length & 255), value);
      members.splice(order % (members.length + 1), 0, member);
    }
    const mixed = concatBytes(payload.subarray(0, 5), ...members);
    assert.deepEqual(parseSessionPayload(mixed), withDefaults(offer));
  }));
});

Deno.test("parseSessionPayload() takes a payload that is cut between members for a shorter one, any other for none", () => {
  fc.assert(fc.property(offers, (offer) => {
    const payload = encodeSessionPayload(offer);
    const borders = [5];
    for (const member of membersIn(payload)) borders.push(at(borders, -1) + member.length);
    const names = ORDER.filter((name) => offer[name] !== undefined);
    for (let length = 0; length <= payload.length; length++) {
      const count = borders.indexOf(length);
      const begun = Object.fromEntries(names.slice(0, count).map((name) => [name, offer[name]]));
      const expected = count < 0 ? undefined : withDefaults(begun);
      assert.deepEqual(parseSessionPayload(payload.subarray(0, length)), expected, `cut after ${length} bytes`);
    }
  }));
});

Deno.test("parseSessionPayload() takes a payload with a member twice for none", () => {
  fc.assert(fc.property(offers, fc.nat(), fc.nat(), (offer, which, where) => {
    const payload = encodeSessionPayload(offer);
    const members = membersIn(payload);
    fc.pre(members.length > 0);
    members.splice(where % (members.length + 1), 0, at(members, which % members.length));
    assert.equal(parseSessionPayload(concatBytes(payload.subarray(0, 5), ...members)), undefined);
  }));
});

Deno.test("parseSessionPayload() survives any bytes, and takes those without magic and version for none", () => {
  const prefix = parseHex("536b795301");
  const any = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(any, fc.boolean(), (bytes, begins) => {
      const parsed = parseSessionPayload(begins ? concatBytes(prefix, bytes) : bytes);
      if (!begins && !prefix.every((byte, i) => bytes[i] === byte)) assert.equal(parsed, undefined);
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("parseSessionPayload() survives payloads with flipped bits", () => {
  fc.assert(fc.property(offers, fc.nat(), (offer, position) => {
    const payload = encodeSessionPayload(offer);
    const bit = position % (8 * payload.length);
    payload[bit >> 3] = at(payload, bit >> 3) ^ 1 << (bit & 7);
    const parsed = parseSessionPayload(payload);
    if (bit < 40) assert.equal(parsed, undefined, "of magic and version");
  }));
});

function offerOf({ features, session, leg, resume, window, refusal }: Members): Partial<SessionPayload> {
  return {
    ...(features !== undefined && { features: new Set(features) }),
    ...(session !== undefined && { session: sessionIdOf(parseHex(session)) }),
    ...(leg !== undefined && { leg }),
    ...(resume !== undefined && { resume: BigInt(resume) }),
    ...(window !== undefined && { window: BigInt(window) }),
    ...(refusal !== undefined && { refusal }),
  };
}

/** What an absent member means. */
function withDefaults(offer: Partial<SessionPayload>): SessionPayload {
  return { features: new Set(), resume: 0n, window: 0n, ...offer };
}

/** The members of a well-formed payload, each with kind and length. */
function membersIn(payload: Uint8Array): Uint8Array[] {
  const members: Uint8Array[] = [];
  for (let from = 5; from < payload.length;) {
    const end = from + 3 + 256 * at(payload, from + 1) + at(payload, from + 2);
    members.push(payload.slice(from, end));
    from = end;
  }
  return members;
}
