import assert from "node:assert/strict";
import type fc from "fast-check";
import type { RuleTable } from "../../../lib/core/mod.ts";
import type { MonotonicMs } from "../../../lib/types/mod.ts";
import { checkAll, type RuleTableModel } from "./model.ts";

/** A packet with an id comes: its rule is found while it is active, and only a consume rule lives on by that. */
export class Lookup implements fc.Command<RuleTableModel, RuleTable> {
  readonly position: number;

  constructor(position: number) {
    this.position = position;
  }

  check(): boolean {
    return true;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const id = model.idAt(this.position);
    const entry = model.stored.get(id);
    const expected = model.faultOf(id) ?? entry!.rule;
    const restarts = entry?.rule.type === "consume" && model.faultOf(id) === undefined;
    const name = entry === undefined ? "lookup" : `lookup of ${entry.rule.type}`;
    model.observe(name, () => restarts && (entry.activeAt = model.now), [id]);
    assert.deepEqual(table.lookup(id, model.now as MonotonicMs), expected);
    checkAll(model, table);
  }

  toString(): string {
    return `lookup(${this.position})`;
  }
}
