import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeRule, encodeRule } from "../../lib/core/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import { formatRuleSummary, MAX_RULE_SUMMARY_CHARACTERS, parseRuleSummary } from "./rule_summary.ts";
import { rules } from "../arbitraries/rule.ts";
import { testVectors } from "./vectors.ts";

testVectors("rule.json", {
  rule(data): void {
    const text = formatRuleSummary(decodeRule(Uint8Array.fromHex(data.bytes)));
    assert.equal(text, data.summary_json);
    const rule = parseRuleSummary(text);
    assert.ok(!(rule instanceof Fault), String(rule));
    assert.equal(encodeRule(rule).toHex(), data.summary_to_bytes);
  },
  summary(data): void {
    const rule = parseRuleSummary(data.summary_json);
    if (data.accepted) return assert.equal(rule instanceof Fault ? rule.message : encodeRule(rule).toHex(), data.bytes);
    assert.ok(rule instanceof Fault);
    assert.equal(rule.code, data.error.startsWith("json:") ? "json/range" : "rule-summary/fields");
  },
  rule_fields: { elsewhere: "tests/core/rule_test.ts" },
  malformed: { elsewhere: "tests/core/rule_test.ts" },
  descriptor: { elsewhere: "tests/core/rule_test.ts" },
  setup: { elsewhere: "tests/services/setup_node/rules_test.ts" },
  route_check: { elsewhere: "tests/services/setup_node/rules_test.ts" },
});

Deno.test("parseRuleSummary() gives back what formatRuleSummary() was given; a negative keep-alive becomes 0", () => {
  fc.assert(fc.property(rules, (rule) => {
    const expected = { ...rule, keepAliveNs: rule.keepAliveNs < 0n ? 0n : rule.keepAliveNs };
    assert.deepEqual(parseRuleSummary(formatRuleSummary(rule)), expected);
  }));
});

Deno.test("parseRuleSummary() survives any text, and texts that were cut", () => {
  const cut = fc.tuple(rules.map(formatRuleSummary), fc.nat()).map(([text, at]) => text.slice(0, at % text.length));
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string(), cut), (text) => {
    assert.ok(parseRuleSummary(text) instanceof Fault);
  }));
});

Deno.test("parseRuleSummary() names what is wrong", () => {
  const intermediary = (fields: string): string =>
    `{"keep_alive":1,"rule_type":2,"key_route_id":4,"intermediary_forward_fields":${fields}}`;
  const faults: readonly (readonly [text: string, code: string])[] = [
    ["{", "json/syntax"],
    [`"${"x".repeat(MAX_RULE_SUMMARY_CHARACTERS)}"`, "json/too-long"],
    ["[]", "json/kind"],
    ["null", "rule-summary/fields"],
    [intermediary("[]"), "json/kind"],
    [intermediary('{"next_rid":-1}'), "json/range"],
    [intermediary('{"next_rid":1.5}'), "json/kind"],
    [intermediary('{"next_tid":"no uuid"}'), "rule-summary/transport"],
    [intermediary('{"next_tid":""}'), "rule-summary/transport"],
    [intermediary('{"next_tid":7}'), "json/kind"],
    ['{"rule_type":0,"app_fields":{"route_descriptor":{"dst_pk":"02"}}}', "json/key"],
    ['{"rule_type":0,"app_fields":{"route_descriptor":{"dst_port":65536}}}', "json/range"],
    ['{"rule_type":256,"app_fields":{}}', "json/range"],
    ['{"keep_alive":9223372036854775808,"rule_type":0,"app_fields":{}}', "json/range"],
  ];
  for (const [text, code] of faults) {
    const fault = parseRuleSummary(text);
    assert.equal(fault instanceof Fault ? fault.code : "a rule", code, text);
  }
});

Deno.test("parseRuleSummary() reads absent members as zeros, as Go does", () => {
  const rule = parseRuleSummary('{"rule_type":1,"forward_fields":{}}');
  assert.ok(!(rule instanceof Fault));
  assert.equal(encodeRule(rule).toHex(), `${"00".repeat(8)}01${"00".repeat(111)}`);
});
