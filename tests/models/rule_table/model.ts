/**
 * The rule table as a plain map and a clock (routing.md §2.6–2.7), and a count of what a run went through. Commands do
 * the same thing to this and to the table in the core, and {@link checkAll} looks whether they still agree.
 */

import assert from "node:assert/strict";
import type { Rule, RuleTable, TableFault } from "../../../lib/core/mod.ts";
import type { MonotonicMs, RouteId } from "../../../lib/types/mod.ts";

/** Where a route id stands. */
export type State = "unreserved" | "reserved" | "active" | "expired";

/** How far times are apart that differ at all, ms: a power of two, so that sums of times are exact. */
export const INSTANT_MS = 0.25;

/** The last id is 2^32−2. */
const FIRST_ID_NEVER_ISSUED = 0xffff_ffff;

/** How many ids around the first one are played with. */
export const ID_COUNT = 7;

/** What a run went through: transitions as `event: state → state`, and how often. Shared by all runs of a property. */
export type Visits = Map<string, number>;

/** See the top of the file. */
export class RuleTableModel {
  /** Milliseconds. */
  now = 0;
  /** What will be handed out next. */
  nextId: number;
  readonly stored = new Map<number, { readonly rule: Rule; activeAt: number }>();
  readonly firstId: number;
  readonly visits: Visits;

  constructor(firstId: number, visits: Visits) {
    this.firstId = this.nextId = firstId;
    this.visits = visits;
  }

  /** The id at a position: the first is never handed out, the others follow it. */
  idAt(position: number): RouteId {
    return this.firstId - 1 + position as RouteId;
  }

  /** Are there so many ids left? */
  canReserve(count: number): boolean {
    return this.nextId + count <= FIRST_ID_NEVER_ISSUED;
  }

  /** Hands out ids; undefined when there are not so many. */
  reserve(count: number): number[] | undefined {
    if (!this.canReserve(count)) return undefined;
    this.nextId += count;
    return Array.from({ length: count }, (_, i) => this.nextId - count + i);
  }

  /** Where an id stands now. */
  stateOf(id: number): State {
    const entry = this.stored.get(id);
    if (entry !== undefined) return this.now <= this.expiryOf(entry) ? "active" : "expired";
    return id >= this.firstId && id < this.nextId ? "reserved" : "unreserved";
  }

  /** Why an id has no rule to act on; undefined when it has. */
  faultOf(id: number): TableFault | undefined {
    const state = this.stateOf(id);
    return state === "active" ? undefined : state === "expired" ? "expired" : "not-found";
  }

  /** The last instant at which a rule is active. */
  expiryOf({ rule, activeAt }: { readonly rule: Rule; readonly activeAt: number }): number {
    return activeAt + Number(rule.keepAliveNs) / 1e6;
  }

  /** The ids of a state, ascending. */
  idsThatAre(state: State): number[] {
    return [...this.stored.keys()].filter((id) => this.stateOf(id) === state).sort((a, b) => a - b);
  }

  /** Runs an event and counts what it did to the states of the ids that it is about, all of them by default. */
  observe(event: string, act: () => void, ids: readonly number[] = this.#allIds()): void {
    const before = ids.map((id) => this.stateOf(id));
    act();
    ids.forEach((id, i) => this.#count(`${event}: ${before[i]} → ${this.stateOf(id)}`));
  }

  #allIds(): number[] {
    return Array.from({ length: ID_COUNT }, (_, position) => this.idAt(position));
  }

  #count(visit: string): void {
    this.visits.set(visit, (this.visits.get(visit) ?? 0) + 1);
  }
}

/** Compares everything that can be seen without changing it: how many rules there are, and when each expires. */
export function checkAll(model: RuleTableModel, table: RuleTable): void {
  assert.equal(table.count, model.stored.size);
  assert.deepEqual(table.active(model.now as MonotonicMs), model.idsThatAre("active"));
  for (const [id, entry] of model.stored) {
    const expiry = model.expiryOf(entry);
    // Where the double has no next quarter of a millisecond there is no edge to look at.
    if (!Number.isFinite(expiry) || expiry + INSTANT_MS === expiry) continue;
    assert.ok(table.active(expiry as MonotonicMs).includes(id as RouteId), `${id} is active until ${expiry}`);
    assert.ok(!table.active(expiry + INSTANT_MS as MonotonicMs).includes(id as RouteId), `${id} expires at ${expiry}`);
  }
}
