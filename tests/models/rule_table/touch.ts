import assert from "node:assert/strict";
import type fc from "fast-check";
import type { RuleTable } from "../../../lib/core/mod.ts";
import type { MonotonicMs } from "../../../lib/types/mod.ts";
import { checkAll, type RuleTableModel } from "./model.ts";

/** A packet was passed on: its rule lives on if it is still active. */
export class Touch implements fc.Command<RuleTableModel, RuleTable> {
  readonly position: number;

  constructor(position: number) {
    this.position = position;
  }

  check(): boolean {
    return true;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const id = model.idAt(this.position);
    const expected = model.faultOf(id);
    model.observe("touch", () => {
      if (expected === undefined) model.stored.get(id)!.activeAt = model.now;
    }, [id]);
    assert.equal(table.touch(id, model.now as MonotonicMs), expected);
    checkAll(model, table);
  }

  toString(): string {
    return `touch(${this.position})`;
  }
}
