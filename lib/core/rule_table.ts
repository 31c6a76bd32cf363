/**
 * The rule table on its own (routing.md §2.6–2.7). A visor's table is inside its switch; this one is for tests that hold
 * it against a model.
 */

import { UnavailableError } from "../errors/mod.ts";
import type { MonotonicMs, RouteId } from "../types/mod.ts";
import { core } from "./instance.ts";
import { FAULT_ROUTE_EXPIRED, FAULT_ROUTE_UNKNOWN, SCRATCH_BYTES } from "./layout.ts";
import { checkStatus, copyAt, intoScratch, SCRATCH } from "./memory.ts";
import { checkRule, fieldsOf, type Rule } from "./rule.ts";

/** What {@link RuleTable.lookup} says when there is no rule to act on. */
export type TableFault = "not-found" | "expired";

/** See the top of the file. */
export class RuleTable implements Disposable {
  readonly #handle: number;

  /**
   * Makes an empty table.
   * @param firstId the first id that will be handed out; 0 counts as 1
   */
  constructor(firstId: number) {
    this.#handle = core.table_new(firstId) >>> 0;
    if (this.#handle === 0) throw new UnavailableError("core/too-many", "Make a rule table: there are too many");
  }

  /** Hands out consecutive ids; undefined, with no change, when there are not so many. */
  reserve(count: number): RouteId[] | undefined {
    const first = core.table_reserve(this.#handle, count) >>> 0;
    return first === 0 ? undefined : Array.from({ length: count }, (_, i) => first + i as RouteId);
  }

  /** Stores a rule from its bytes. @throws {ProtocolError} `rule/length`, `rule/type` */
  save(rule: Uint8Array, now: MonotonicMs): void {
    const [at] = intoScratch(rule) as [number];
    checkRule(core.table_save(this.#handle, at, rule.length, now));
  }

  /** The active rule of an id, or why there is none; looking a consume rule up keeps it alive. */
  lookup(id: RouteId, now: MonotonicMs): Rule | TableFault {
    const status = core.table_lookup(this.#handle, id, now, SCRATCH, SCRATCH_BYTES);
    return faultOf(status) ?? fieldsOf(copyAt(SCRATCH, checkStatus(status)));
  }

  /** Notes activity of an active rule; otherwise says why there is none. */
  touch(id: RouteId, now: MonotonicMs): TableFault | undefined {
    const status = core.table_touch(this.#handle, id, now);
    const fault = faultOf(status);
    if (fault === undefined) checkStatus(status);
    return fault;
  }

  /** Forgets a rule. */
  delete(id: RouteId): void {
    checkStatus(core.table_delete(this.#handle, id));
  }

  /** How many rules are stored, expired ones included. */
  get count(): number {
    return checkStatus(core.table_count(this.#handle));
  }

  /** The ids of all active rules, ascending. */
  active(now: MonotonicMs): RouteId[] {
    return readIds(checkStatus(core.table_active(this.#handle, now, SCRATCH, SCRATCH_BYTES)));
  }

  /** Removes all expired rules; their ids, ascending. */
  collect(now: MonotonicMs): RouteId[] {
    return readIds(checkStatus(core.table_collect(this.#handle, now, SCRATCH, SCRATCH_BYTES)));
  }

  /** Forgets the table. */
  [Symbol.dispose](): void {
    core.table_drop(this.#handle);
  }
}

function faultOf(status: number): TableFault | undefined {
  if (status === FAULT_ROUTE_UNKNOWN) return "not-found";
  return status === FAULT_ROUTE_EXPIRED ? "expired" : undefined;
}

function readIds(count: number): RouteId[] {
  const view = new DataView(copyAt(SCRATCH, count * 4).buffer);
  return Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true) as RouteId).sort((a, b) => a - b);
}
