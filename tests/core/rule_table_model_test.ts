import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeRule, RuleTable } from "../../lib/core/mod.ts";
import type { MonotonicMs, RouteId } from "../../lib/types/mod.ts";
import { rules } from "../arbitraries/rule.ts";
import { ruleTableCommands } from "../models/rule_table/commands.ts";
import { RuleTableModel, type Visits } from "../models/rule_table/model.ts";

/** Where ids begin: at the very first one, somewhere, and so late that they run out. */
const FIRST_IDS = fc.constantFrom(1, 77_000, 0xffff_fffa);

/** Every transition of routing.md §2.7, those that change nothing included, and both sides of the moment of expiry. */
const TRANSITIONS = [
  "reserve: unreserved → reserved",
  // A rule that was saved under an id that nobody had reserved; the id is handed out all the same.
  "reserve: active → active",
  "reserve: expired → expired",
  "reserve in vain: unreserved → unreserved",
  "save: unreserved → active",
  "save: reserved → active",
  "save: active → active",
  "save: expired → active",
  // A negative keep-alive has always run out.
  "save: unreserved → expired",
  "save: reserved → expired",
  "lookup: unreserved → unreserved",
  "lookup: reserved → reserved",
  ...["consume", "forward", "intermediary"].flatMap((type) => [
    `lookup of ${type}: active → active`,
    `lookup of ${type}: expired → expired`,
  ]),
  "touch: unreserved → unreserved",
  "touch: reserved → reserved",
  "touch: active → active",
  "touch: expired → expired",
  "time: unreserved → unreserved",
  "time: reserved → reserved",
  "time: active → active",
  "time: active → expired",
  "time: expired → expired",
  "at the edge: active → active",
  "just beyond the edge: expired → expired",
  "collect: unreserved → unreserved",
  "collect: reserved → reserved",
  "collect: active → active",
  "collect: expired → reserved",
  "collect: expired → unreserved",
  "delete: unreserved → unreserved",
  "delete: reserved → reserved",
  "delete: active → reserved",
  "delete: active → unreserved",
  "delete: expired → reserved",
  "delete: expired → unreserved",
];

/** Too rare to wait for. */
const OTHER_TRANSITIONS = [
  "save: active → expired",
  "save: expired → expired",
  "reserve in vain: active → active",
  "reserve in vain: expired → expired",
];

Deno.test("RuleTable does what a map and a clock do, whatever happens to it", () => {
  runModel(new Map(), { numRuns: 100 });
});

Deno.test("RuleTable's test goes through every state and transition, and no other", () => {
  const visits: Visits = new Map();
  runModel(visits, { numRuns: 500, seed: 0x5eed });
  const unseen = TRANSITIONS.filter((transition) => (visits.get(transition) ?? 0) < 5);
  assert.deepEqual(unseen, [], "each at least five times");
  const strange = [...visits.keys()].filter((visit) => ![...TRANSITIONS, ...OTHER_TRANSITIONS].includes(visit));
  assert.deepEqual(strange, []);
});

Deno.test("RuleTable keeps a rule for as long as one packet comes within its keep-alive", () => {
  fc.assert(fc.property(rules, fc.array(fc.nat({ max: 100 }), { maxLength: 50 }), (rule, pauses) => {
    using table = new RuleTable(1);
    table.save(encodeRule({ ...rule, keepAliveNs: 100_000_000n }), 0 as MonotonicMs);
    let now = 0 as MonotonicMs;
    for (const pause of pauses) {
      now = now + pause as MonotonicMs;
      // A consume rule is looked up for each packet, the others are touched once it was passed on.
      assert.equal(typeof table.lookup(rule.routeId, now), "object");
      if (rule.type !== "consume") assert.equal(table.touch(rule.routeId, now), undefined);
      assert.deepEqual(table.collect(now), []);
    }
  }));
});

Deno.test("RuleTable lets the last of two saves win, and a save after a delete be a save", () => {
  fc.assert(fc.property(rules, rules, fc.boolean(), (first, second, deletes) => {
    using table = new RuleTable(1);
    const id = first.routeId;
    const last = { ...second, routeId: id, keepAliveNs: 1_000_000n };
    table.save(encodeRule(first), 0 as MonotonicMs);
    if (deletes) table.delete(id);
    table.save(encodeRule(last), 0 as MonotonicMs);
    assert.equal(table.count, 1);
    assert.deepEqual(table.lookup(id, 1 as MonotonicMs), last);
  }));
});

Deno.test("RuleTable hands out ids in order up to 2^32−2, and changes nothing when they run out", () => {
  using table = new RuleTable(0xffff_fffa);
  assert.deepEqual(table.reserve(6), undefined);
  assert.deepEqual(table.reserve(3), [0xffff_fffa, 0xffff_fffb, 0xffff_fffc]);
  assert.deepEqual(table.reserve(3), undefined);
  assert.deepEqual(table.reserve(2), [0xffff_fffd, 0xffff_fffe]);
  assert.deepEqual([table.reserve(1), table.reserve(0)], [undefined, []]);
  using zero = new RuleTable(0);
  assert.deepEqual(zero.reserve(2), [1, 2] as RouteId[], "0 is never handed out");
});

function runModel(visits: Visits, parameters: { readonly numRuns: number; readonly seed?: number }): void {
  const property = fc.property(FIRST_IDS, ruleTableCommands, (firstId, commands) => {
    using table = new RuleTable(firstId);
    fc.modelRun(() => ({ model: new RuleTableModel(firstId, visits), real: table }), commands);
  });
  fc.assert(property, parameters);
}
