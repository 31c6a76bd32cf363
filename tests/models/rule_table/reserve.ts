import assert from "node:assert/strict";
import type fc from "fast-check";
import type { RuleTable } from "../../../lib/core/mod.ts";
import { checkAll, type RuleTableModel } from "./model.ts";

/** Some ids are handed out: the ones that follow, or none when there are not so many. */
export class Reserve implements fc.Command<RuleTableModel, RuleTable> {
  readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  check(): boolean {
    return true;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const covered = Array.from({ length: this.count }, (_, i) => model.nextId + i);
    let expected: number[] | undefined;
    const act = (): void => void (expected = model.reserve(this.count));
    model.observe(model.canReserve(this.count) ? "reserve" : "reserve in vain", act, covered);
    assert.deepEqual(table.reserve(this.count), expected);
    checkAll(model, table);
  }

  toString(): string {
    return `reserve(${this.count})`;
  }
}
