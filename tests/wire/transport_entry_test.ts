import assert from "node:assert/strict";
import { sha256 } from "../../lib/core/mod.ts";
import { NULL_SIGNATURE, parseHex, SecretKey, transportIdBytes } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import {
  encodeSignedEntryLine,
  entryBinary,
  formatSignedEntry,
  formatTransportEntry,
  isConsistentEntry,
  makeTransportEntry,
  parseSignedEntry,
  type SignedEntry,
  signTransportEntry,
  sortEdges,
  transportId,
  verifyTransportEntry,
} from "../../lib/wire/transport_entry.ts";
import { testVectors } from "./vectors.ts";

testVectors("transport_entry.json", {
  id(data): void {
    assert.deepEqual(sortEdges(data.pk_a, data.pk_b), data.edges);
    assert.equal(transportId(data.pk_a, data.pk_b, data.type), data.id);
    assert.equal(transportId(data.pk_b, data.pk_a, data.type), data.id);
    assert.equal(transportIdBytes(data.id).toHex(), data.id_bytes);
  },
  entry(data): void {
    const entry = makeTransportEntry(data.initiator_pk, data.responder_pk, { kind: data.type, label: data.label });
    assert.equal(formatTransportEntry(entry), data.entry_json);
    assert.equal(entryBinary(entry).toHex(), data.binary);
    assert.equal(sha256(entryBinary(entry)).toHex(), data.digest);
    assert.ok(isConsistentEntry(entry));
    const both: SignedEntry = { entry, signatures: data.signatures };
    assert.equal(`${formatSignedEntry(both)}\n`, data.signed_by_both_json_line);
    assert.deepEqual(parseSignedEntry(data.signed_by_both_json_line), both);
    assert.ok(verifyTransportEntry(both, data.initiator_pk) && verifyTransportEntry(both, data.responder_pk));
    const first = mustParse(data.signed_by_initiator_json_line);
    assert.ok(verifyTransportEntry(first, data.initiator_pk));
    assert.ok(!verifyTransportEntry(first, data.responder_pk));
    const ours = signTransportEntry(entry, signer(data.initiator_pk, data.initiator_sk));
    assert.ok(verifyTransportEntry(ours, data.initiator_pk));
    const completed = signTransportEntry(ours, signer(data.responder_pk, data.responder_sk));
    assert.ok(verifyTransportEntry(completed, data.initiator_pk) && verifyTransportEntry(completed, data.responder_pk));
    assert.deepEqual(parseSignedEntry(new TextDecoder().decode(encodeSignedEntryLine(completed))), completed);
  },
  entry_self(data): void {
    const signed = mustParse(data.signed_json_line);
    assert.deepEqual(signed.entry, makeTransportEntry(data.pk, data.pk, signed.entry));
    assert.equal(entryBinary(signed.entry).toHex(), data.binary);
    assert.ok(verifyTransportEntry(signed, data.pk));
    assert.equal(`${formatSignedEntry(signed)}\n`, data.signed_json_line);
    assert.equal(signTransportEntry(signed, signer(data.pk, data.sk)).signatures[1], NULL_SIGNATURE);
  },
  settlement_initiator: { elsewhere: "tests/transport/settlement_test.ts" },
  settlement_responder: { elsewhere: "tests/transport/settlement_test.ts" },
});

Deno.test("parseSignedEntry() passes a registered number on and refuses entries that are not whole", () => {
  const key = "02".padEnd(66, "1");
  assert.ok(parseSignedEntry("{}") instanceof Fault);
  assert.ok(parseSignedEntry(`{"entry":{"t_id":"x","edges":["${key}"]}}`) instanceof Fault);
  assert.ok(parseSignedEntry('{"entry":null,"signatures":["",""]}') instanceof Fault);
  assert.ok(parseSignedEntry("[]") instanceof Fault);
});

function signer(publicKey: string, secret: string): Parameters<typeof signTransportEntry>[1] {
  return { publicKey: publicKey as Parameters<typeof sortEdges>[0], secret: new SecretKey(parseHex(secret)) };
}

function mustParse(text: string): SignedEntry {
  const signed = parseSignedEntry(text);
  if (signed instanceof Fault) throw new Error(signed.message);
  return signed;
}
