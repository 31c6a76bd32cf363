/** What happens to a visor besides: time, links, and the connections of its own apps. */

import assert from "node:assert/strict";
import type fc from "fast-check";
import type { Rule } from "../../../lib/core/mod.ts";
import { hasCode } from "../../../lib/errors/mod.ts";
import type { MonotonicMs } from "../../../lib/types/mod.ts";
import type { SwitchModel } from "./model.ts";
import { checkAll, type RealSwitch } from "./real.ts";
import { INSTANT_MS, TRANSPORTS } from "./state.ts";
import { Save } from "./table_commands.ts";
import { at } from "../../../lib/types/at.ts";

/** Longer leaps would leave the range in which sums of times are exact. */
const MAX_LEAP_MS = 3_600_000;

/** Time passes: by some milliseconds, or to the last instant at which a rule is active, or to the first at which not. */
export class Advance implements fc.Command<SwitchModel, RealSwitch> {
  readonly by: number | { readonly edgeOf: number; readonly beyond: boolean };

  /** @param by ms, or the position of the rule */
  constructor(by: number | { readonly edgeOf: number; readonly beyond: boolean }) {
    this.by = by;
  }

  check(model: Readonly<SwitchModel>): boolean {
    const ms = this.#ms(model);
    return ms !== undefined && ms >= 0 && ms <= MAX_LEAP_MS;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const ms = this.#ms(model)!;
    if (typeof this.by !== "number") {
      model.visit(this.by.beyond ? "beyond the edge of a keep-alive" : "at the edge of a keep-alive");
    }
    model.advance(ms);
    real.core.handleDeadline(model.now as MonotonicMs);
    checkAll(model, real, { anyOrder: true });
  }

  toString(): string {
    return typeof this.by === "number" ? `advance(${this.by} ms)` : `advance(${JSON.stringify(this.by)})`;
  }

  #ms(model: Readonly<SwitchModel>): number | undefined {
    if (typeof this.by === "number") return this.by;
    const entry = model.rules.get(model.idAt(this.by.edgeOf));
    return entry && model.expiryOf(entry) + (this.by.beyond ? INSTANT_MS : 0) - model.now;
  }
}

/** A link goes, or comes back. */
export class ToggleLink implements fc.Command<SwitchModel, RealSwitch> {
  readonly link: number;

  constructor(link: number) {
    this.link = link;
  }

  check(): boolean {
    return true;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const now = model.now as MonotonicMs;
    if (at(model.links, this.link).up) {
      model.removeLink(this.link);
      real.core.removeLink(at(real.links, this.link), now);
    } else {
      model.addLink(this.link);
      real.links[this.link] = real.core.addLink({ transportId: at(TRANSPORTS, this.link) }, now);
    }
    checkAll(model, real, { anyOrder: true });
  }

  toString(): string {
    return `toggleLink(${this.link})`;
  }
}

/** A connection begins on two rules, if they are there and free. */
export class AddGroup implements fc.Command<SwitchModel, RealSwitch> {
  readonly forward: number;
  readonly consume: number;

  /** Takes positions. */
  constructor(forward: number, consume: number) {
    this.forward = forward;
    this.consume = consume;
  }

  check(): boolean {
    return true;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const ids = { forward: model.idAt(this.forward), consume: model.idAt(this.consume) };
    const begin = () => real.core.addGroup(ids, model.now as MonotonicMs);
    if (model.ends.areFree(ids.forward, ids.consume)) {
      model.visit("group begins");
      model.ends.add(ids.forward, ids.consume);
      real.groups.push(begin());
    } else {
      model.visit("group refused");
      assert.throws(begin, (error) => hasCode(error, "switch/no-rules"));
    }
    checkAll(model, real);
  }

  toString(): string {
    return `addGroup(${this.forward}, ${this.consume})`;
  }
}

/** A setup node installs the rules of an end, and the connection begins. */
export class Connect implements fc.Command<SwitchModel, RealSwitch> {
  readonly #steps: readonly fc.Command<SwitchModel, RealSwitch>[];

  /** Takes positions and rules, whose own route ids do not count. */
  constructor(forward: readonly [number, Rule], consume: readonly [number, Rule]) {
    this.#steps = [new Save(...forward), new Save(...consume), new AddGroup(forward[0], consume[0])];
  }

  check(): boolean {
    return true;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    for (const step of this.#steps) step.run(model, real);
  }

  toString(): string {
    return this.#steps.join(" and ");
  }
}

/** An app closes its connection, or the connection is forgotten. */
export class LeaveGroup implements fc.Command<SwitchModel, RealSwitch> {
  readonly recent: number;
  readonly how: "close" | "remove";
  readonly error: string;

  /** @param recent how many groups began after it */
  constructor(recent: number, { how, error }: { readonly how: "close" | "remove"; readonly error: string }) {
    this.recent = recent;
    this.how = how;
    this.error = error;
  }

  check(model: Readonly<SwitchModel>): boolean {
    const group = model.ends.groups.at(-1 - this.recent);
    return group !== undefined && group.state !== "removed";
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const index = model.ends.groups.length - 1 - this.recent;
    model.visit(`${this.how} a group that is ${at(model.ends.groups, index).state}`);
    if (this.how === "close") {
      model.ends.close(index, this.error);
      real.core.closeGroup(at(real.groups, index), this.error, model.now as MonotonicMs);
    } else {
      model.ends.remove(index);
      real.core.removeGroup(at(real.groups, index), model.now as MonotonicMs);
    }
    checkAll(model, real);
  }

  toString(): string {
    return `${this.how}Group(${this.recent}${this.error === "" ? "" : `, "${this.error}"`})`;
  }
}
