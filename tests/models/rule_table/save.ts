import type fc from "fast-check";
import { encodeRule, type Rule, type RuleTable } from "../../../lib/core/mod.ts";
import type { MonotonicMs } from "../../../lib/types/mod.ts";
import { checkAll, type RuleTableModel } from "./model.ts";

/** A rule is stored, whatever its id is and whatever was there. */
export class Save implements fc.Command<RuleTableModel, RuleTable> {
  readonly position: number;
  readonly rule: Rule;

  /** @param rule its own route id does not count */
  constructor(position: number, rule: Rule) {
    this.position = position;
    this.rule = rule;
  }

  check(): boolean {
    return true;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const rule = { ...this.rule, routeId: model.idAt(this.position) };
    model.observe("save", () => model.stored.set(rule.routeId, { rule, activeAt: model.now }), [rule.routeId]);
    table.save(encodeRule(rule), model.now as MonotonicMs);
    checkAll(model, table);
  }

  toString(): string {
    return `save(${this.position}, ${this.rule.type}, ${this.rule.keepAliveNs} ns)`;
  }
}
