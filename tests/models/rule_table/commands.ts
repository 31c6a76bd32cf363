/** What a test may do to a rule table: any mix of the commands in this folder, at ids and times that come close. */

import fc from "fast-check";
import type { Rule, RuleTable } from "../../../lib/core/mod.ts";
import { rules } from "../../arbitraries/rule.ts";
import { Advance } from "./advance.ts";
import { Collect } from "./collect.ts";
import { Delete } from "./delete.ts";
import { Lookup } from "./lookup.ts";
import { ID_COUNT, type RuleTableModel } from "./model.ts";
import { Reserve } from "./reserve.ts";
import { Save } from "./save.ts";
import { Touch } from "./touch.ts";

const positions = fc.nat({ max: ID_COUNT - 1 });

/** Of no time, some time, any time and less than none; all are multiples of 1/4 ms, but for the endless one. */
const keepAlivesNs = fc.constantFrom(0n, 250_000n, 100_000_000n, 30_000_000_000n, 2n ** 63n - 1n, -1_000_000n);

const savedRules: fc.Arbitrary<Rule> = fc.tuple(rules, keepAlivesNs).map(([rule, keepAliveNs]) => ({
  ...rule,
  keepAliveNs,
}));

/** Sequences of commands. */
export const ruleTableCommands: fc.Arbitrary<Iterable<fc.Command<RuleTableModel, RuleTable>>> = fc.commands([
  fc.nat({ max: 3 }).map((count) => new Reserve(count)),
  fc.tuple(positions, savedRules).map(([position, rule]) => new Save(position, rule)),
  fc.tuple(positions, savedRules).map(([position, rule]) => new Save(position, rule)),
  positions.map((position) => new Lookup(position)),
  positions.map((position) => new Touch(position)),
  fc.tuple(positions, fc.integer({ min: 1, max: 2 })).map(([position, times]) => new Delete(position, times)),
  fc.constant(new Collect()),
  fc.constantFrom(0, 0.25, 60, 100, 30_000).map((ms) => new Advance(ms)),
  fc.record({ edgeOf: positions, beyond: fc.boolean() }).map((edge) => new Advance(edge)),
], { maxCommands: 60, size: "max" });
