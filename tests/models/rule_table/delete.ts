import type fc from "fast-check";
import type { RuleTable } from "../../../lib/core/mod.ts";
import { checkAll, type RuleTableModel } from "./model.ts";

/** A rule is forgotten, once or twice: the second time nothing is left to forget. */
export class Delete implements fc.Command<RuleTableModel, RuleTable> {
  readonly position: number;
  readonly times: number;

  constructor(position: number, times: number) {
    this.position = position;
    this.times = times;
  }

  check(): boolean {
    return true;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const id = model.idAt(this.position);
    for (let i = 0; i < this.times; i++) {
      model.observe("delete", () => model.stored.delete(id), [id]);
      table.delete(id);
      checkAll(model, table);
    }
  }

  toString(): string {
    return `delete(${this.position}) × ${this.times}`;
  }
}
