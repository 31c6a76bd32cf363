import assert from "node:assert/strict";
import type fc from "fast-check";
import type { RuleTable } from "../../../lib/core/mod.ts";
import { checkAll, INSTANT_MS, type RuleTableModel } from "./model.ts";

/** Longer leaps would leave the range in which sums of times are exact. */
const MAX_LEAP_MS = 3_600_000;

/** Time passes: by some milliseconds, or to the last instant at which a rule is active, or to the first at which not. */
export class Advance implements fc.Command<RuleTableModel, RuleTable> {
  readonly to: number | { readonly edgeOf: number; readonly beyond: boolean };

  /** @param to ms from now, or the position of the rule */
  constructor(to: number | { readonly edgeOf: number; readonly beyond: boolean }) {
    this.to = to;
  }

  check(model: Readonly<RuleTableModel>): boolean {
    const target = this.#target(model);
    return target !== undefined && target >= model.now && target <= model.now + MAX_LEAP_MS;
  }

  run(model: RuleTableModel, table: RuleTable): void {
    const target = this.#target(model)!;
    model.observe("time", () => void (model.now = target));
    if (typeof this.to !== "number") {
      const state = model.stateOf(model.idAt(this.to.edgeOf));
      assert.equal(state, this.to.beyond ? "expired" : "active", "idle for as long as it may be is still active");
      model.observe(this.to.beyond ? "just beyond the edge" : "at the edge", () => {}, [model.idAt(this.to.edgeOf)]);
    }
    checkAll(model, table);
  }

  toString(): string {
    return typeof this.to === "number" ? `advance(${this.to} ms)` : `advance(${JSON.stringify(this.to)})`;
  }

  #target(model: Readonly<RuleTableModel>): number | undefined {
    if (typeof this.to === "number") return model.now + this.to;
    const entry = model.stored.get(model.idAt(this.to.edgeOf));
    return entry && model.expiryOf(entry) + (this.to.beyond ? INSTANT_MS : 0);
  }
}
