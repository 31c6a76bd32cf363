import assert from "node:assert/strict";
import type fc from "fast-check";
import type { RuleTable } from "../../../lib/core/mod.ts";
import type { MonotonicMs } from "../../../lib/types/mod.ts";
import { checkAll, type RuleTableModel } from "./model.ts";

/** The expired rules go, and no others. */
export class Collect implements fc.Command<RuleTableModel, RuleTable> {
  check(): boolean {
    return true;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const expired = model.idsThatAre("expired");
    model.observe("collect", () => expired.forEach((id) => model.stored.delete(id)));
    assert.deepEqual(table.collect(model.now as MonotonicMs), expired);
    assert.deepEqual(table.collect(model.now as MonotonicMs), [], "at the same instant nothing is left to collect");
    checkAll(model, table);
  }

  toString(): string {
    return "collect()";
  }
}
