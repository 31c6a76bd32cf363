import assert from "node:assert/strict";
import fc from "fast-check";
import { publicKeyOf, sha256 } from "../../lib/core/mod.ts";
import { parseHex, SecretKey } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import {
  type Entry,
  formatEntry,
  parseEntry,
  signedTextOfEntry,
  signEntry,
  validateEntry,
  validateIteration,
  validateServerAddress,
  VALIDATION_PREFIX,
  verifyEntry,
} from "../../lib/wire/messaging_entry.ts";
import { testVectors } from "./vectors.ts";

testVectors("dmsg_stream.json", {
  entry(data): void {
    const entry = mustParse(data.entry_json);
    assert.equal(formatEntry(entry), data.entry_json);
    assert.equal(signedTextOfEntry(entry), data.signed_text);
    assert.equal(sha256(new TextEncoder().encode(data.signed_text)).toHex(), data.digest);
    assert.equal(entry.signature, data.signature);
    assert.ok(verifyEntry(entry));
    assert.ok(verifyEntry(signEntry({ ...entry, sequence: entry.sequence / 2n }, new SecretKey(parseHex(data.sk)))));
  },
  entry_verify(data): void {
    const entry = parseEntry(data.entry_json);
    assert.equal(!(entry instanceof Fault) && verifyEntry(entry), data.accepted, data.error);
  },
  entry_validate(data): void {
    const entry = mustParse(data.entry_json);
    const errorOf = (cause: string | undefined): string | null =>
      cause === undefined ? null : VALIDATION_PREFIX + cause;
    assert.equal(errorOf(validateEntry(entry, BigInt(data.now_ns))), data.with_timestamp_check.error);
    assert.equal(errorOf(validateEntry(entry)), data.without_timestamp_check.error);
  },
  entry_iteration(data): void {
    const cause = validateIteration(
      { sequence: BigInt(data.old_sequence), timestamp: BigInt(data.old_timestamp) },
      { sequence: BigInt(data.new_sequence), timestamp: BigInt(data.new_timestamp) },
    );
    assert.equal(cause === undefined ? null : VALIDATION_PREFIX + cause, data.error);
  },
  entry_http: { elsewhere: "tests/services/messaging_discovery/vectors_test.ts" },
  exchange: { elsewhere: "tests/wire/stream_objects_test.ts" },
  ip_lookup: { elsewhere: "tests/wire/stream_objects_test.ts" },
  request_check: { elsewhere: "tests/wire/stream_objects_test.ts" },
  response_check: { elsewhere: "tests/wire/stream_objects_test.ts" },
  error_codes: { elsewhere: "tests/wire/stream_objects_test.ts" },
  object_frame: { elsewhere: "tests/wire/stream_objects_test.ts" },
});

Deno.test("validateServerAddress() refuses empty and loopback hosts only", () => {
  for (const local of ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[0:0:0:0:0:0:0:1]:80", ":80"]) {
    assert.notEqual(validateServerAddress(local), undefined, local);
  }
  for (const fine of ["", "nonsense", "localhost:80", "198.51.100.7:8081", "[2001:db8::1]:80", "1:80"]) {
    assert.equal(validateServerAddress(fine), undefined, fine);
  }
});

Deno.test("parseEntry() gives back what formatEntry() was given, whatever the texts and numbers", () => {
  const secret = new SecretKey(new Uint8Array(32).fill(7));
  const key = publicKeyOf(secret);
  const text = fc.string({ unit: "binary", minLength: 1 }).map((any) => any.toWellFormed());
  const plain = { noNullPrototype: true } as const;
  const arbitrary = fc.record({
    version: text,
    sequence: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    timestamp: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    static: fc.constant(key),
    client: fc.record({ delegatedServers: fc.option(fc.array(fc.constant(key), { maxLength: 3 })) }, plain),
    clientType: text,
    server: fc.record({ address: text, availableSessions: fc.maxSafeInteger(), serverType: text }, plain),
    signature: text,
  }, { requiredKeys: ["version", "sequence", "timestamp", "static"], noNullPrototype: true });
  fc.assert(
    fc.property(arbitrary, (entry: Entry) => {
      assert.deepEqual(parseEntry(formatEntry(entry)), entry);
      const signed = signEntry(entry, secret);
      assert.ok(verifyEntry(signed));
      assert.ok(!verifyEntry({ ...signed, sequence: signed.sequence ^ 1n }));
    }),
    { numRuns: 50 },
  );
});

Deno.test("parseEntry() survives any text", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (any) => void parseEntry(any)));
  assert.ok(parseEntry("[".repeat(200_000)) instanceof Fault);
});

function mustParse(text: string): Entry {
  const entry = parseEntry(text);
  if (entry instanceof Fault) throw new Error(entry.message);
  return entry;
}
