/** What a setup node and the management of a visor do: ids are reserved, rules saved and deleted. */

import assert from "node:assert/strict";
import type fc from "fast-check";
import { encodeRule, type Rule } from "../../../lib/core/mod.ts";
import { hasCode } from "../../../lib/errors/mod.ts";
import type { MonotonicMs } from "../../../lib/types/mod.ts";
import type { SwitchModel } from "./model.ts";
import { checkAll, type RealSwitch } from "./real.ts";

/** Ids are handed out, or there are not so many left. */
export class Reserve implements fc.Command<SwitchModel, RealSwitch> {
  readonly count: number;

  /** @param count how many */
  constructor(count: number) {
    this.count = count;
  }

  check(): boolean {
    return true;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const ids = model.reserve(this.count);
    model.visit(ids !== undefined ? "reserve" : this.count > MANY ? "reserve too many" : "reserve: none are left");
    if (ids !== undefined) assert.deepEqual(real.core.reserveRouteIds(this.count), ids);
    else assert.throws(() => real.core.reserveRouteIds(this.count), (error) => hasCode(error, "routing/ids-exhausted"));
    checkAll(model, real);
  }

  toString(): string {
    return `reserve(${this.count})`;
  }
}

/** A rule is stored, whatever its id is and whatever was there. */
export class Save implements fc.Command<SwitchModel, RealSwitch> {
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

  run(model: SwitchModel, real: RealSwitch): void {
    const rule = { ...this.rule, routeId: model.idAt(this.position) };
    model.save(rule);
    real.core.saveRule(encodeRule(rule), model.now as MonotonicMs);
    checkAll(model, real);
  }

  toString(): string {
    const { type, keepAliveNs } = this.rule;
    const next = this.rule.type === "consume"
      ? ""
      : `, ${this.rule.nextRouteId} over ${this.rule.nextTransportId.at(-1)}`;
    return `save(${this.position}, ${type}, ${keepAliveNs} ns${next})`;
  }
}

/** How a rule is malformed. */
export type Malformation = { readonly cutTo: number } | { readonly type: number };

/** A rule that is too short, or of no type that is known, changes nothing. */
export class SaveMalformed implements fc.Command<SwitchModel, RealSwitch> {
  readonly position: number;
  readonly rule: Rule;
  readonly how: Malformation;

  /** @param how cut to a part of the fields, from 0 to 1, or its type byte, from 3 on */
  constructor(position: number, rule: Rule, { how }: { readonly how: Malformation }) {
    this.position = position;
    this.rule = rule;
    this.how = how;
  }

  check(): boolean {
    return true;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const bytes = encodeRule({ ...this.rule, routeId: model.idAt(this.position) });
    const { how } = this;
    const isCut = "cutTo" in how;
    model.visit(isCut ? "save a short rule" : "save a rule of no type");
    if (!isCut) bytes[8] = how.type;
    const broken = isCut ? bytes.subarray(0, Math.floor(how.cutTo * (FIELD_BYTES[this.rule.type] - 1))) : bytes;
    assert.throws(
      () => real.core.saveRule(broken, model.now as MonotonicMs),
      (error) => hasCode(error, isCut ? "rule/length" : "rule/type"),
    );
    checkAll(model, real);
  }

  toString(): string {
    return `saveMalformed(${this.position}, ${this.rule.type}, ${JSON.stringify(this.how)})`;
  }
}

/** Rules are forgotten, and the groups on them end. */
export class DeleteRules implements fc.Command<SwitchModel, RealSwitch> {
  readonly positions: readonly number[];

  /** @param positions perhaps of no rule, perhaps twice the same */
  constructor(positions: readonly number[]) {
    this.positions = positions;
  }

  check(): boolean {
    return true;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const ids = this.positions.map((position) => model.idAt(position));
    for (const id of ids) {
      model.visit(model.rules.has(id) ? "delete a rule" : "delete nothing");
      model.deleteRule(id);
    }
    real.core.deleteRules(ids, model.now as MonotonicMs);
    checkAll(model, real);
  }

  toString(): string {
    return `deleteRules(${this.positions})`;
  }
}

/** More ids than a run uses up. */
const MANY = 10;

/** How long each rule has to be, padding not counted (routing.md §2.3). */
const FIELD_BYTES = { consume: 83, forward: 103, intermediary: 33 } as const;
